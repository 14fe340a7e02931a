/* Plain data of the contract (wit/tidegate.wit). On wasm32 these structs lie in memory exactly as the canonical ABI lays them out, so
 * nothing is converted where they cross. */
#ifndef TIDEGATE_TYPES_H
#define TIDEGATE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct { const char *ptr; size_t len; } tg_str;
typedef struct { const uint8_t *ptr; size_t len; } tg_bytes;
typedef struct { const tg_str *ptr; size_t len; } tg_strs;
typedef struct { const uint32_t *ptr; size_t len; } tg_u32s;
typedef struct { const uint16_t *ptr; size_t len; } tg_u16s;
typedef struct { bool some; uint32_t value; } tg_opt_u32;
typedef struct { bool some; tg_bytes value; } tg_opt_bytes;
typedef struct { bool some; tg_str value; } tg_opt_str;
typedef struct { bool some; tg_u32s value; } tg_opt_u32s;

/* Free-form pairs, for what the contract grows by. */
typedef struct { tg_str key, value; } tg_attr;
typedef struct { const tg_attr *ptr; size_t len; } tg_attrs;

#define TG_STR(literal) ((tg_str){literal, sizeof(literal) - 1})
static inline tg_str tg_str_of(const char *text) { return (tg_str){text, strlen(text)}; }
static inline bool tg_str_is(tg_str a, const char *text) { return a.len == strlen(text) && memcmp(a.ptr, text, a.len) == 0; }

/* Everything below ts and `seq` rows at it (stage 0), rows at ts (1), the DDL at ts (2), the syncpoint at ts (3). */
typedef struct { uint64_t ts; uint8_t stage; uint64_t seq; } tg_position;
typedef struct { bool some; tg_position value; } tg_opt_position;

typedef struct { uint64_t table, version; } tg_table_ref;

enum {
  TG_NULLABLE = 1, TG_PRIMARY_KEY = 2, TG_ROW_KEY = 4, TG_UNIQUE = 8, TG_GENERATED = 16, TG_AUTO_INCREMENT = 32, TG_UNSIGNED = 64
};

typedef struct {
  int64_t id;
  tg_str name;
  uint8_t logical; /* tgr1_logical less one; see tg_logical */
  tg_str source_type;
  uint8_t props;
  tg_opt_u32 length, decimals;
  tg_str charset, collation;
  tg_strs members;
  tg_opt_bytes default_value;
  tg_attrs attrs;
} tg_column;

static inline uint8_t tg_logical(const tg_column *column) { return column->logical + 1; }

typedef struct { tg_str name; tg_u32s columns; bool unique, primary; } tg_index;
typedef struct { const tg_column *ptr; size_t len; } tg_columns;
typedef struct { const tg_index *ptr; size_t len; } tg_indexes;

/* One version of a table's schema. Columns generated on read are left out. */
typedef struct {
  tg_table_ref ref;
  tg_str database, name;
  tg_columns columns;
  tg_indexes indexes;
  tg_opt_u32 row_key; /* index that identifies a row; none: the whole row does */
  tg_str charset, collation;
  tg_attrs attrs;
} tg_table;
typedef struct { bool some; tg_table value; } tg_opt_table;

typedef enum {
  TG_CREATE_SCHEMA, TG_DROP_SCHEMA, TG_ALTER_SCHEMA, TG_CREATE_TABLE, TG_DROP_TABLE, TG_TRUNCATE_TABLE, TG_RENAME_TABLE,
  TG_RECOVER_TABLE, TG_CREATE_VIEW, TG_DROP_VIEW, TG_ADD_COLUMN, TG_DROP_COLUMN, TG_MODIFY_COLUMN, TG_ADD_INDEX, TG_DROP_INDEX,
  TG_ALTER_INDEX, TG_ADD_FOREIGN_KEY, TG_DROP_FOREIGN_KEY, TG_ADD_PARTITION, TG_DROP_PARTITION, TG_TRUNCATE_PARTITION,
  TG_EXCHANGE_PARTITION, TG_REORGANIZE_PARTITION, TG_ALTER_PARTITIONING, TG_ALTER_TABLE, TG_MULTI_SCHEMA_CHANGE
} tg_ddl_kind;

typedef struct {
  tg_position at;
  uint8_t kind; /* tg_ddl_kind */
  tg_str database, table, query;
  tg_opt_table before, after;
  bool maybe_done; /* handed over before with an outcome that is not known: look before doing it again */
  tg_attrs attrs;
} tg_ddl;
typedef struct { bool some; tg_ddl value; } tg_opt_ddl;

/* Many strings in two lists: item i is data[ends[i-1] .. ends[i]]. */
typedef struct { tg_bytes data; tg_u32s ends; } tg_blocks;

/* What an instance was started for. */
typedef struct {
  tg_str changefeed;
  uint32_t slot, lane, lanes; /* the instance that runs DDL has lane == lanes */
  uint64_t epoch[2];
  tg_str config; /* JSON text, checked against the manifest's schema */
  tg_position checkpoint;
  tg_opt_bytes state;
  tg_strs endpoints;
  uint32_t tgr_minor;
  tg_attrs attrs;
} tg_context;

typedef struct { tg_str name; bool required; tg_str reason; } tg_capability;
typedef struct { const tg_capability *ptr; size_t len; } tg_capabilities;
typedef struct {
  tg_str name, version, config_schema;
  tg_capabilities capabilities;
  uint32_t tgr_minor;
  tg_attrs attrs;
} tg_manifest;

/* One row a plugin will not take. */
typedef struct { uint32_t row; tg_str code, message; } tg_bad_row;
typedef struct { const tg_bad_row *ptr; size_t len; } tg_bad_rows;

typedef enum { TG_RETRYABLE, TG_UNKNOWN, TG_FENCED, TG_FATAL, TG_UNSUPPORTED } tg_failure_kind;
typedef struct {
  uint8_t kind; /* tg_failure_kind */
  union {
    struct { tg_str message; tg_opt_u32 after_ms; tg_attrs attrs; } retry; /* retryable, unknown, fenced */
    struct { tg_str code, message; tg_attrs attrs; } fatal;                /* fatal, unsupported */
  };
} tg_failure;

/* How a function of a plugin fails: NULL is success. */
typedef const tg_failure *tg_error;

#if defined(__wasm32__)
_Static_assert(sizeof(tg_failure) == 28 && sizeof(tg_column) == 96 && sizeof(tg_table) == 80 && sizeof(tg_ddl) == 248, "canonical layout");
_Static_assert(sizeof(tg_context) == 104 && sizeof(tg_manifest) == 44 && sizeof(tg_position) == 24, "canonical layout");
#define TG_IMPORT(interface, function) \
  __attribute__((import_module("tidegate:plugin/" interface "@1.0.0"), import_name(function))) extern
#define TG_EXPORT(interface, function) __attribute__((export_name("tidegate:plugin/" interface "@1.0.0#" function)))
#else
#define TG_IMPORT(interface, function) extern
#define TG_EXPORT(interface, function)
#endif

#endif
