/* SQL databases. Connections, TLS, credentials, timeouts and fencing belong to the host. */
#ifndef TIDEGATE_SQL_H
#define TIDEGATE_SQL_H

#include "plugin.h"

typedef enum { TG_SQL_RETRYABLE, TG_SQL_UNKNOWN, TG_SQL_FENCED, TG_SQL_DUPLICATE, TG_SQL_REFUSED, TG_SQL_DENIED } tg_sql_kind;
typedef enum { TG_MYSQL, TG_MARIADB, TG_TIDB, TG_OTHER } tg_dialect;

/* What failed last; `tg_sql_failure` makes a failure of it. */
typedef struct {
  uint8_t kind; /* tg_sql_kind */
  uint16_t errno_;
  tg_str sqlstate, message;
} tg_sql_error;

typedef struct { uint64_t affected; uint32_t warnings; } tg_sql_result;
typedef struct {
  enum { TG_SQL_NULL, TG_SQL_INT, TG_SQL_UINT, TG_SQL_FLOAT, TG_SQL_TEXT, TG_SQL_BYTES } kind : 8;
  union { int64_t i; uint64_t u; double f; tg_str text; tg_bytes bytes; };
} tg_sql_value;
typedef struct { const tg_sql_value *ptr; size_t len; } tg_sql_row;
typedef struct { const tg_sql_row *ptr; size_t len; } tg_sql_rows;
/* Good until the end of the call. */
typedef struct { tg_strs columns; tg_sql_rows rows; } tg_sql_set;

typedef uint32_t tg_sql;

/* Statements in one buffer: put a text into `text`, then end it. */
typedef struct {
  tg_buf text;
  uint32_t *ends;
  size_t len, cap;
} tg_statements;
void tg_statement_end(tg_statements *statements);
void tg_statements_reset(tg_statements *statements);

/* `endpoint` is one of the context's. With `error` NULL these are as good: the failure says what a plugin that does not look closer
 * wants, retryable, unknown and fenced as such, everything else fatal. */
tg_error tg_sql_open(tg_str endpoint, tg_sql *connection, tg_sql_error *error);
/* One transaction, in as few round trips as the protocol allows. On a fenced endpoint the lane's progress goes into it. */
tg_error tg_sql_transact(tg_sql connection, const tg_statements *statements, tg_sql_result *result, tg_sql_error *error);
/* One statement outside a transaction (DDL, session settings). */
tg_error tg_sql_execute(tg_sql connection, tg_str statement, tg_sql_result *result, tg_sql_error *error);
tg_error tg_sql_query(tg_sql connection, tg_str statement, uint32_t max_rows, tg_sql_set *set, tg_sql_error *error);
tg_dialect tg_sql_dialect(tg_sql connection);
tg_str tg_sql_server_version(tg_sql connection);
/* Largest statement the server takes. */
uint32_t tg_sql_max_statement_bytes(tg_sql connection);
void tg_sql_close(tg_sql connection);

#endif
