/* A Tidegate sink that posts rows as lines of JSON to an HTTP receiver. */
#include "tidegate/http.h"
#include "tidegate/sink.h"

static const char SCHEMA[] =
    "{\"type\": \"object\", \"properties\": {"
    "\"endpoint\": {\"type\": \"string\", \"description\": \"name of a granted HTTP endpoint\"}, "
    "\"path\": {\"type\": \"string\", \"description\": \"where to post to\"}, "
    "\"batch-bytes\": {\"type\": \"integer\", \"minimum\": 1, \"description\": \"post when this much is held\"}}, "
    "\"additionalProperties\": false}";

static tg_buf endpoint, path;
static uint32_t batch_bytes;
/* What was not posted yet. */
static tg_buf held;

static tg_str text(const tg_buf *buf) { return (tg_str){(const char *)buf->ptr, buf->len}; }

static tg_error setting(tg_str config, const char *name, const char *otherwise, tg_buf *kept) {
  tg_str value = tg_str_of(otherwise);
  tg_error error = tg_json_get_str(config, name, &value);
  kept->len = 0;
  tg_buf_str(kept, value);
  return error;
}

static tg_error open(const tg_context *context) {
  held.len = 0;
  batch_bytes = 256 << 10;
  tg_error error = setting(context->config, "endpoint", "downstream", &endpoint);
  if (error == NULL) error = setting(context->config, "path", "/", &path);
  if (error == NULL) error = tg_json_get_u32(context->config, "batch-bytes", &batch_bytes);
  return error;
}

static tg_error post(void) {
  static const tg_attr headers[] = {{{"Content-Type", 12}, {"application/x-ndjson", 20}}};
  tg_request request = {.endpoint = text(&endpoint), .method = TG_POST, .path = text(&path), .headers = {headers, 1},
                        .body = {held.ptr, held.len}};
  tg_response response;
  tg_error error = tg_http_send(&request, &response);
  if (error == NULL) error = tg_http_check(&response);
  if (error == NULL) held.len = 0;
  return error;
}

static tg_error add(const tg_rows *rows, tgr1_row row) {
  tgr1_image image;
  tg_error error = NULL;
  TG_BUF_LITERAL(&held, "{\"table\":");
  tg_buf name = {NULL, 0, 0};
  tg_buf_str(&name, rows->table->database);
  tg_buf_byte(&name, '.');
  tg_buf_str(&name, rows->table->name);
  tg_buf_json_str(&held, text(&name));
  tg_buf_free(&name);
  TG_BUF_LITERAL(&held, ",\"op\":\"");
  tg_buf_str(&held, tg_str_of(tgr1_op_name(tgr1_row_op(row))));
  TG_BUF_LITERAL(&held, "\",\"commit_ts\":\"");
  tg_buf_u64(&held, tgr1_commit_ts(row));
  tg_buf_byte(&held, '"');
  if (tgr1_after(row, &image)) {
    TG_BUF_LITERAL(&held, ",\"data\":");
    error = tg_json_image(&held, rows, image);
  }
  if (error == NULL && tgr1_before(row, &image)) {
    TG_BUF_LITERAL(&held, ",\"old\":");
    error = tg_json_image(&held, rows, image);
  }
  TG_BUF_LITERAL(&held, "}\n");
  return error;
}

static tg_error write(tg_rows *rows) {
  /* A batch that fails as a whole comes again. */
  size_t before = held.len;
  tg_error error = NULL;
  for (uint32_t i = 0; error == NULL && i < rows->batch.rows; i++) error = add(rows, tgr1_row_at(&rows->batch, i));
  if (error == NULL && held.len >= batch_bytes) error = post();
  if (error != NULL) held.len = before;
  return error;
}

static tg_error flush(tg_barrier *barrier) {
  (void)barrier;
  return held.len == 0 ? NULL : post();
}

static uint64_t buffered(void) { return held.len; }

static const tg_capability capabilities[] = {{{"http", 4}, true, {"posts the rows", 14}}};

const tg_sink tg_sink_plugin = {
    .manifest = {{"jsonlines-c", 11}, {"1.0.0", 5}, {SCHEMA, sizeof SCHEMA - 1}, {capabilities, 1}, 0, {NULL, 0}},
    .open = open,
    .write = write,
    .flush = flush,
    .buffered = buffered,
};
