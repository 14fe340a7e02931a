/* The sql capability. */
#include "tidegate/sql.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct { uint8_t tag; union { tg_sql connection; tg_sql_error error; }; } open_answer;
typedef struct { uint8_t tag; union { tg_sql_result result; tg_sql_error error; }; } result_answer;
typedef struct { uint8_t tag; union { tg_sql_set set; tg_sql_error error; }; } query_answer;

#if defined(__wasm32__)
_Static_assert(sizeof(tg_sql_value) == 16 && sizeof(open_answer) == 24 && sizeof(result_answer) == 32 && sizeof(query_answer) == 24,
               "canonical layout");
#endif

TG_IMPORT("sql", "[static]connection.open") void tg_raw_sql_open(const char *endpoint, size_t len, open_answer *ret);
TG_IMPORT("sql", "[method]connection.dialect") uint32_t tg_raw_sql_dialect(tg_sql connection);
TG_IMPORT("sql", "[method]connection.server-version") void tg_raw_sql_version(tg_sql connection, tg_str *ret);
TG_IMPORT("sql", "[method]connection.max-statement-bytes") uint32_t tg_raw_sql_max(tg_sql connection);
TG_IMPORT("sql", "[method]connection.transact")
void tg_raw_sql_transact(tg_sql connection, const uint8_t *data, size_t len, const uint32_t *ends, size_t n, result_answer *ret);
TG_IMPORT("sql", "[method]connection.execute")
void tg_raw_sql_execute(tg_sql connection, const char *statement, size_t len, result_answer *ret);
TG_IMPORT("sql", "[method]connection.query")
void tg_raw_sql_query(tg_sql connection, const char *statement, size_t len, uint32_t max_rows, query_answer *ret);
TG_IMPORT("sql", "[resource-drop]connection") void tg_raw_sql_drop(tg_sql connection);

void tg_statement_end(tg_statements *s) {
  if (s->len == s->cap) {
    size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
    uint32_t *ends = realloc(s->ends, cap * sizeof *ends);
    if (ends == NULL) tg_panic("out of memory");
    s->ends = ends;
    s->cap = cap;
  }
  s->ends[s->len++] = (uint32_t)s->text.len;
}

void tg_statements_reset(tg_statements *s) {
  s->text.len = 0;
  s->len = 0;
}

static tg_error failed(const tg_sql_error *found, tg_sql_error *error) {
  if (error != NULL) *error = *found;
  int message = (int)found->message.len, state = (int)found->sqlstate.len;
#define TEXT "%.*s (errno %d, %.*s)", message, found->message.ptr, found->errno_, state, found->sqlstate.ptr
  switch (found->kind) {
  case TG_SQL_RETRYABLE: return tg_retryable(TEXT);
  case TG_SQL_UNKNOWN: return tg_unknown(TEXT);
  case TG_SQL_FENCED: return tg_fenced(TEXT);
  default: {
    char *code = tg_alloc(16);
    snprintf(code, 16, "sql-%d", found->errno_);
    return tg_fatal(code, TEXT);
  }
  }
}

tg_error tg_sql_open(tg_str endpoint, tg_sql *connection, tg_sql_error *error) {
  open_answer ret;
  tg_raw_sql_open(endpoint.ptr, endpoint.len, &ret);
  if (ret.tag != 0) return failed(&ret.error, error);
  *connection = ret.connection;
  return NULL;
}

static tg_error answered(const result_answer *ret, tg_sql_result *result, tg_sql_error *error) {
  if (ret->tag != 0) return failed(&ret->error, error);
  if (result != NULL) *result = ret->result;
  return NULL;
}

tg_error tg_sql_transact(tg_sql connection, const tg_statements *s, tg_sql_result *result, tg_sql_error *error) {
  result_answer ret;
  tg_raw_sql_transact(connection, s->text.ptr, s->text.len, s->ends, s->len, &ret);
  return answered(&ret, result, error);
}

tg_error tg_sql_execute(tg_sql connection, tg_str statement, tg_sql_result *result, tg_sql_error *error) {
  result_answer ret;
  tg_raw_sql_execute(connection, statement.ptr, statement.len, &ret);
  return answered(&ret, result, error);
}

tg_error tg_sql_query(tg_sql connection, tg_str statement, uint32_t max_rows, tg_sql_set *set, tg_sql_error *error) {
  query_answer ret;
  tg_raw_sql_query(connection, statement.ptr, statement.len, max_rows, &ret);
  if (ret.tag != 0) return failed(&ret.error, error);
  *set = ret.set;
  return NULL;
}

tg_dialect tg_sql_dialect(tg_sql connection) { return (tg_dialect)tg_raw_sql_dialect(connection); }

tg_str tg_sql_server_version(tg_sql connection) {
  tg_str version;
  tg_raw_sql_version(connection, &version);
  return version;
}

uint32_t tg_sql_max_statement_bytes(tg_sql connection) { return tg_raw_sql_max(connection); }
void tg_sql_close(tg_sql connection) { tg_raw_sql_drop(connection); }
