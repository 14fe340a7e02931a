/* Calls every capability and logs what came of it, in the same words as the probes in other languages. */
#include "tidegate/host.h"
#include "tidegate/http.h"
#include "tidegate/object_store.h"
#include "tidegate/producer.h"
#include "tidegate/sink.h"
#include "tidegate/sql.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define S(s) (int)(s).len, (const char *)(s).ptr

__attribute__((format(printf, 2, 3))) static void say(const char *name, const char *format, ...) {
  char text[2000];
  va_list values;
  va_start(values, format);
  int len = vsnprintf(text, sizeof text, format, values);
  va_end(values);
  tg_attr field = {TG_STR("v"), {text, (size_t)len}};
  tg_log(TG_INFO, tg_str_of(name), &field, 1);
}

/* Shows a failure: kind, code, message, wait. */
static void fault(const char *name, tg_error error) {
  static const char *const kinds[] = {"retryable", "unknown", "fenced", "fatal", "unsupported"};
  if (error == NULL) {
    say(name, "fine");
    return;
  }
  tg_str message = tg_message(error), code = {"", 0};
  uint32_t after = 0;
  if (error->kind >= TG_FATAL) {
    code = error->fatal.code;
  } else if (error->retry.after_ms.some) {
    after = error->retry.after_ms.value;
  }
  say(name, "%s/%.*s/%.*s/%" PRIu32, kinds[error->kind], S(code), S(message), after);
}

static const char *shown(bool flag) { return flag ? "true" : "false"; }

static const char *hex(tg_bytes data) {
  char *text = tg_alloc(2 * data.len + 1);
  text[0] = 0;
  for (size_t i = 0; i < data.len; i++) snprintf(text + 2 * i, 3, "%02x", data.ptr[i]);
  return text;
}

static const char *listed(tg_strs list) {
  tg_buf buf = {0};
  for (size_t i = 0; i < list.len; i++) {
    tg_buf_byte(&buf, i == 0 ? '[' : ' ');
    tg_buf_str(&buf, list.ptr[i]);
  }
  if (list.len == 0) tg_buf_byte(&buf, '[');
  tg_buf_byte(&buf, ']');
  tg_buf_byte(&buf, 0);
  return (const char *)buf.ptr;
}

static tg_error open(const tg_context *c) {
  say("context", "%.*s %u %u %u %" PRIu64 " %" PRIu64 " %.*s %" PRIu64 " %d %" PRIu64 " %s %s", S(c->changefeed), c->slot, c->lane, c->lanes,
      c->epoch[0], c->epoch[1], S(c->config), c->checkpoint.ts, c->checkpoint.stage, c->checkpoint.seq, hex(c->state.value), listed(c->endpoints));
  tg_counter_add(tg_counter_new(TG_STR("rows")), 7);
  tg_gauge_set(tg_gauge_new(TG_STR("level")), -0.5);
  return NULL;
}

static tg_error on_schema(const tg_table *t, tg_strs targets, tg_plan *plan) {
  static const uint32_t columns[] = {0, 2};
  static const tg_attr attr = {{"a", 1}, {"ö", 2}};
  const tg_column *c = &t->columns.ptr[1];
  say("table", "%.*s.%.*s %zu %zu %.*s %d %d %s [%u] %s", S(t->database), S(t->name), t->columns.len, t->indexes.len, S(c->name), tg_logical(c),
      c->props, hex(c->default_value.value), t->indexes.ptr[t->row_key.value].columns.ptr[0], listed(targets));
  *plan = (tg_plan){{true, {columns, 2}}, true, {true, 5}, {true, 6}, {&attr, 1}};
  return NULL;
}

static tg_error write(tg_rows *rows) {
  static const uint32_t columns[] = {0, 2};
  tg_u32s wanted = {columns, 2};
  tg_bytes data = {NULL, 0};
  tg_quarantine(rows, 1, TG_STR("bad"), TG_STR("not good ö"));
  tg_error error = tg_read(rows, &wanted, 1, 2, &data);
  say("read", "%zu", data.len);
  fault("read", error);
  fault("read", tg_read(rows, NULL, 2000, 1, &data));
  return NULL;
}

static uint64_t buffered(void) { return 42; }

static tg_error status(tg_opt_position *at) {
  *at = (tg_opt_position){true, {1000, 2, 3}};
  return NULL;
}

static tg_error on_ddl(const tg_ddl *ddl) {
  say("ddl", "%" PRIu64 " %d %.*s %.*s %.*s %s %s %s", ddl->at.ts, ddl->kind, S(ddl->database), S(ddl->table), S(ddl->query),
      shown(!ddl->before.some), shown(ddl->after.some), shown(ddl->maybe_done));
  tg_failure *failure = tg_alloc(sizeof *failure);
  *failure = *tg_retryable("later ö");
  failure->retry.after_ms = (tg_opt_u32){true, 1500};
  return failure;
}

static tg_error on_tick(void) { tg_panic("asked to ö"); }

static tg_error on_checkpoint(tg_position at) {
  (void)at;
  return tg_unsupported("old", "not in this build ö");
}

static void small(void) {
  tg_str text = {"", 0};
  tg_error error = tg_secret_get(TG_STR("granted"), &text);
  say("secret", "%.*s", S(text));
  fault("secret", error);
  fault("secret", tg_secret_get(TG_STR("other"), &text));
  static const uint8_t value[] = {0, 255};
  fault("state", tg_state_set(TG_STR("k"), (tg_bytes){value, 2}));
  tg_bytes kept = {NULL, 0};
  bool found = tg_state_get(TG_STR("k"), &kept);
  say("state", "%s %s %s", hex(kept), shown(found), listed(tg_state_keys(TG_STR(""), 10)));
  tg_state_delete(TG_STR("k"));
  found = tg_state_get(TG_STR("k"), &kept);
  say("state", "%s %zu", shown(found), tg_state_keys(TG_STR(""), 10).len);
  uint8_t *large = calloc(1, 65537);
  fault("state", tg_state_set(TG_STR("large"), (tg_bytes){large, 65537}));
  free(large);
  say("clock", "%" PRIu64, tg_wall_ms());
}

static void sql_value(const tg_sql_value *v) {
  switch (v->kind) {
  case TG_SQL_NULL: say("sql", "null"); break;
  case TG_SQL_INT: say("sql", "%" PRId64, v->i); break;
  case TG_SQL_UINT: say("sql", "%" PRIu64, v->u); break;
  case TG_SQL_FLOAT: say("sql", "%g", v->f); break;
  case TG_SQL_TEXT: say("sql", "%.*s", S(v->text)); break;
  case TG_SQL_BYTES: say("sql", "%s", hex(v->bytes)); break;
  }
}

static void sql_fault(tg_error error, const tg_sql_error *why) {
  if (error != NULL) say("sql", "%d", why->kind);
  fault("sql", error);
}

static void database(void) {
  static const char *const kinds[] = {"fine", "retryable", "unknown", "fenced", "duplicate", "refused", "denied"};
  tg_sql conn = 0;
  tg_sql_error why;
  tg_error error = tg_sql_open(TG_STR("nope"), &conn, &why);
  sql_fault(error, &why);
  fault("sql", tg_sql_open(TG_STR("db"), &conn, NULL));
  tg_str version = tg_sql_server_version(conn);
  say("sql", "%d %.*s %u", tg_sql_dialect(conn), S(version), tg_sql_max_statement_bytes(conn));
  tg_statements s = {0};
  tg_buf_str(&s.text, TG_STR("insert ö"));
  tg_statement_end(&s);
  tg_buf_str(&s.text, TG_STR("x"));
  tg_statement_end(&s);
  tg_sql_result done = {0, 0};
  error = tg_sql_transact(conn, &s, &done, NULL);
  say("sql", "%" PRIu64 " %u", done.affected, done.warnings);
  fault("sql", error);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    char text[40];
    snprintf(text, sizeof text, "do ö %s", kinds[i]);
    error = tg_sql_execute(conn, tg_str_of(text), NULL, &why);
    sql_fault(error, &why);
  }
  tg_sql_set set = {{NULL, 0}, {NULL, 0}};
  fault("sql", tg_sql_query(conn, TG_STR("select ö"), 9, &set, NULL));
  for (size_t i = 0; i < set.rows.ptr[0].len; i++) sql_value(&set.rows.ptr[0].ptr[i]);
  say("sql", "%s %zu", listed(set.columns), set.rows.ptr[1].len);
}

static void queue(void) {
  static const char *const endpoints[] = {"a-retryable", "a-unknown", "a-fenced", "a-fatal", "a-unsupported"};
  tg_producer p = 0;
  uint32_t n = 0;
  for (size_t i = 0; i < 5; i++) fault("producer", tg_producer_open(tg_str_of(endpoints[i]), &p));
  fault("producer", tg_producer_open(TG_STR("kafka"), &p));
  tg_error error = tg_producer_partitions(p, TG_STR("tö"), &n);
  say("producer", "%u", n);
  fault("producer", error);
  error = tg_producer_max_message_bytes(p, TG_STR("t"), &n);
  say("producer", "%u", n);
  fault("producer", error);
  fault("producer", tg_producer_partitions(p, TG_STR("t-fatal"), &n));
  static const tg_str topics[] = {{"a", 1}, {"bö", 3}};
  static const uint16_t topic_of[] = {0, 1};
  static const uint32_t partitions[] = {3, 4}, key_ends[] = {2, 4}, value_ends[] = {2, 6};
  static const tg_header header = {{"hö", 3}, {(const uint8_t *)"\0\1", 2}};
  tg_messages m = {{topic_of, 2}, {topics, 2}, {partitions, 2}, {{(const uint8_t *)"k1k2", 4}, {key_ends, 2}},
                   {{(const uint8_t *)"v1vö2", 6}, {value_ends, 2}}, {&header, 1}};
  fault("producer", tg_producer_send(p, &m));
  fault("producer", tg_producer_flush(p));
  tg_producer_close(p);
}

static const char *meta(const tg_object *o) {
  char *text = tg_alloc(200);
  snprintf(text, 200, "%.*s %" PRIu64 " \"%.*s\" %" PRIu64, S(o->path), o->size, o->etag.some ? (int)o->etag.value.len : 0, o->etag.value.ptr,
           o->modified_ms);
  return text;
}

static void store(void) {
  const tg_bytes none = {NULL, 0}, bytes = {(const uint8_t *)"\1\2\3", 3}, two = {bytes.ptr, 2};
  const tg_str no_tag = {NULL, 0};
  tg_bucket b = 0;
  tg_object o = {0};
  bool flag = false;
  fault("store", tg_bucket_open(TG_STR("bucket"), &b));
  tg_error error = tg_bucket_put(b, TG_STR("pö"), two, TG_OVERWRITE, no_tag, &o, &flag);
  say("store", "%s", meta(&o));
  fault("store", error);
  error = tg_bucket_put(b, TG_STR("p-bare"), none, TG_CREATE, no_tag, &o, &flag);
  say("store", "%s", meta(&o));
  fault("store", error);
  error = tg_bucket_put(b, TG_STR("p-conflict"), none, TG_IF_MATCH, TG_STR("tag ö"), &o, &flag);
  say("store", "%s", shown(flag));
  fault("store", tg_bucket_put(b, TG_STR("p-fatal"), none, TG_OVERWRITE, no_tag, &o, &flag));
  tg_bytes data = none;
  error = tg_bucket_get(b, TG_STR("g"), 1, 2, &data, &flag);
  say("store", "%s %s", hex(data), shown(flag));
  fault("store", error);
  tg_bucket_get(b, TG_STR("g-none"), 0, 0, &data, &flag);
  say("store", "%s", shown(flag));
  error = tg_bucket_head(b, TG_STR("h"), &o, &flag);
  say("store", "%s %s", meta(&o), shown(flag));
  fault("store", error);
  tg_bucket_head(b, TG_STR("h-none"), &o, &flag);
  say("store", "%s", shown(flag));
  fault("store", tg_bucket_head(b, TG_STR("h-unknown"), &o, &flag));
  tg_objects list = {NULL, 0};
  error = tg_bucket_list(b, TG_STR("pre"), TG_STR("aft"), 5, &list);
  say("store", "%s; %s", meta(&list.ptr[0]), meta(&list.ptr[1]));
  fault("store", error);
  fault("store", tg_bucket_delete(b, TG_STR("d")));
  fault("store", tg_bucket_delete(b, TG_STR("d-retryable")));
  tg_upload u = 0;
  fault("store", tg_bucket_upload(b, TG_STR("u"), &u));
  fault("store", tg_upload_write(u, bytes));
  error = tg_upload_finish(u, &o);
  say("store", "%s", meta(&o));
  fault("store", error);
  if (tg_bucket_upload(b, TG_STR("u2"), &u) == NULL) tg_upload_abort(u);
  tg_bucket_close(b);
}

static void web(void) {
  static const char *const problems[] = {"/refused", "/not-sent", "/unknown", "/too-large"}, *const refusals[] = {"/status/404", "/status/429", "/status/503"};
  static const tg_attr header = {{"x", 1}, {"ö", 2}};
  tg_request request = {TG_STR("downstream"), TG_PATCH, TG_STR("/status/200"), {&header, 1}, {(const uint8_t *)"bö", 3}, {true, 9}};
  tg_response r;
  fault("http", tg_http_send(&request, &r));
  say("http", "%d %.*s %.*s %.*s", r.status, S(r.headers.ptr[0].key), S(r.headers.ptr[0].value), S(r.body));
  request = (tg_request){.endpoint = TG_STR("downstream"), .method = TG_GET};
  for (size_t i = 0; i < 4; i++) {
    request.path = tg_str_of(problems[i]);
    fault("http", tg_http_send(&request, &r));
  }
  for (size_t i = 0; i < 3; i++) {
    request.path = tg_str_of(refusals[i]);
    if (tg_http_send(&request, &r) == NULL) fault("http", tg_http_check(&r));
  }
}

static tg_error flush(tg_barrier *barrier) {
  small();
  database();
  queue();
  store();
  web();
  barrier->incomplete = true;
  barrier->state = (tg_opt_bytes){true, {(const uint8_t *)"\1\2", 2}};
  return NULL;
}

const tg_sink tg_sink_plugin = {
    .manifest = {{"probe", 5}, {"1.0.0", 5}, {NULL, 0}, {NULL, 0}, 0, {NULL, 0}},
    .open = open,
    .on_schema = on_schema,
    .write = write,
    .flush = flush,
    .on_ddl = on_ddl,
    .status = status,
    .on_checkpoint = on_checkpoint,
    .on_tick = on_tick,
    .buffered = buffered,
};
