/* What every plugin may use: memory of a call, failures, buffers, rows with their tables, log. */
#ifndef TIDEGATE_PLUGIN_H
#define TIDEGATE_PLUGIN_H

#include "tgr1.h"
#include "types.h"

/* Memory that is good until the end of the call in progress, and needs no freeing. Everything the host hands over lies there too. */
void *tg_alloc(size_t size);
/* A copy there. */
tg_str tg_copy(tg_str text);

/* Failures. Messages are put together as printf does. */
__attribute__((format(printf, 1, 2))) tg_error tg_retryable(const char *format, ...);
__attribute__((format(printf, 1, 2))) tg_error tg_unknown(const char *format, ...);
__attribute__((format(printf, 1, 2))) tg_error tg_fenced(const char *format, ...);
__attribute__((format(printf, 2, 3))) tg_error tg_fatal(const char *code, const char *format, ...);
__attribute__((format(printf, 2, 3))) tg_error tg_unsupported(const char *code, const char *format, ...);
/* What a failure says. */
tg_str tg_message(tg_error error);

/* A buffer that grows, for statements, documents and messages. Zero it to start, keep it between calls. Out of memory is a trap. */
typedef struct { uint8_t *ptr; size_t len, cap; } tg_buf;
void tg_buf_reserve(tg_buf *buf, size_t more);
void tg_buf_free(tg_buf *buf);
static inline void tg_buf_put(tg_buf *buf, const void *data, size_t len) {
  if (buf->cap - buf->len < len) tg_buf_reserve(buf, len);
  memcpy(buf->ptr + buf->len, data, len);
  buf->len += len;
}
static inline void tg_buf_byte(tg_buf *buf, uint8_t byte) {
  if (buf->cap == buf->len) tg_buf_reserve(buf, 1);
  buf->ptr[buf->len++] = byte;
}
static inline void tg_buf_str(tg_buf *buf, tg_str text) { tg_buf_put(buf, text.ptr, text.len); }
#define TG_BUF_LITERAL(buf, literal) tg_buf_put(buf, literal, sizeof(literal) - 1)
void tg_buf_u64(tg_buf *buf, uint64_t n);
void tg_buf_i64(tg_buf *buf, int64_t n);
/* The shortest digits that read back. */
void tg_buf_f64(tg_buf *buf, double v);
void tg_buf_f32(tg_buf *buf, float v);
/* `2020-02-20`; `2020-02-20 02:20:20.123456` with fsp digits, cut; `-HH:MM:SS.ffffff` of signed microseconds. */
void tg_buf_date(tg_buf *buf, uint64_t packed);
void tg_buf_datetime(tg_buf *buf, uint64_t packed, uint32_t fsp);
void tg_buf_duration(tg_buf *buf, int64_t micros, uint32_t fsp);
/* Quoted for JSON; bytes that are not UTF-8 become U+FFFD. */
void tg_buf_json_str(tg_buf *buf, tg_str text);
void tg_buf_base64(tg_buf *buf, tg_bytes data);

/* Rows of one version of one table, in commit order. */
typedef struct {
  const tg_table *table;
  tg_strs targets; /* the names that a row's target counts; empty: the table itself */
  tgr1_batch batch;
  uint32_t handle;
  tg_bad_row *bad;
  size_t bad_len, bad_cap;
} tg_rows;

/* Reads a batch of a table; unit tests may, with handle 0. */
tg_error tg_rows_of(tg_rows *rows, const tg_table *table, tg_bytes data);
/* Sets a row aside: the host keeps it with the reason, and the changefeed goes on. */
void tg_quarantine(tg_rows *rows, uint32_t row, tg_str code, tg_str message);
/* More of the batch than the plan asked for, as TGR1: the columns at these positions (NULL: all), rows from `start` on. */
tg_error tg_read(tg_rows *rows, const tg_u32s *columns, uint32_t start, uint32_t count, tg_bytes *data);
/* The column of the table that column `col` of the batch is. */
static inline const tg_column *tg_column_of(const tg_rows *rows, uint32_t col) {
  return &rows->table->columns.ptr[tgr1_column_at(&rows->batch, col).position];
}
/* Number within the batch of the column with this name; UINT32_MAX: the plan left it out. */
uint32_t tg_find_column(const tg_rows *rows, const char *name);
/* Where the dispatcher sends a row: one of the targets, or the table's own name. */
tg_str tg_target_name(const tg_rows *rows, tgr1_row row);

/* A value with its type. */
typedef struct {
  enum { TG_V_NULL, TG_V_INT, TG_V_UINT, TG_V_FLOAT, TG_V_BYTES } kind;
  uint8_t logical;
  union { int64_t i; uint64_t u; double f; tg_bytes bytes; };
} tg_value;
/* Column `col`; a fatal failure when its bytes are damaged. */
tg_error tg_get(const tg_rows *rows, tgr1_image image, uint32_t col, tg_value *value);
/* The member of an ENUM with this number: empty for 0 and for numbers the column does not have. */
tg_str tg_enum_text(const tg_column *column, uint64_t number);
/* Appends the value as JSON has it: numbers with all digits, decimals and times as texts, JSON embedded, bytes as base64. */
tg_error tg_json_value(tg_buf *buf, const tg_rows *rows, tgr1_image image, uint32_t col);
/* Appends the image as one JSON object. */
tg_error tg_json_image(tg_buf *buf, const tg_rows *rows, tgr1_image image);

/* Reads a member of a JSON object, such as the configuration, into `value`, which stays as it is when the member is missing. A value
 * of another type is a fatal failure. The string lies in the memory of the call. */
tg_error tg_json_get_str(tg_str json, const char *name, tg_str *value);
tg_error tg_json_get_u32(tg_str json, const char *name, uint32_t *value);
/* A list of strings, which is kept for good: for `open`. */
tg_error tg_json_get_strs(tg_str json, const char *name, tg_strs *value);
bool tg_strs_have(tg_strs list, tg_str text);

typedef enum { TG_TRACE, TG_DEBUG, TG_INFO, TG_WARN, TG_ERROR } tg_level;
bool tg_log_enabled(tg_level level);
/* Logs a message with fields. */
void tg_log(tg_level level, tg_str message, const tg_attr *fields, size_t n);
/* Logs and ends the instance: for what only a defect can bring about. The host starts a new one at the last barrier. */
_Noreturn void tg_panic(const char *what);
/* Milliseconds of guest time left before the call in progress is interrupted. */
uint32_t tg_deadline_ms(void);

#endif
