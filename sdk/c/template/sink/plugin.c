/* {{name}}: sends each changed row as one line of JSON to an HTTP endpoint. */
#include "tidegate/http.h"
#include "tidegate/sink.h"

/* What the changefeed's file may say; the host checks it against this. */
static const char SCHEMA[] = "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": "
                             "{\"path\": {\"type\": \"string\"}, \"endpoint\": {\"type\": \"string\"}}}";

static tg_buf path, endpoint;
/* Lines since the last flush. */
static tg_buf lines;

static tg_str text(const tg_buf *buf) { return (tg_str){(const char *)buf->ptr, buf->len}; }

/* A setting, kept beyond the call. */
static tg_error setting(tg_str config, const char *name, tg_str otherwise, tg_buf *kept) {
  tg_str value = otherwise;
  tg_error error = tg_json_get_str(config, name, &value);
  kept->len = 0;
  tg_buf_str(kept, value);
  return error;
}

static tg_error open(const tg_context *context) {
  /* Without a name in the configuration: the first endpoint that is granted. */
  tg_str first = context->endpoints.len > 0 ? context->endpoints.ptr[0] : TG_STR("");
  tg_error error = setting(context->config, "path", TG_STR("/rows"), &path);
  return error != NULL ? error : setting(context->config, "endpoint", first, &endpoint);
}

static tg_error add(const tg_rows *rows, tgr1_row row) {
  tgr1_image image;
  tg_buf name = {NULL, 0, 0};
  tg_buf_str(&name, rows->table->database);
  tg_buf_byte(&name, '.');
  tg_buf_str(&name, rows->table->name);
  TG_BUF_LITERAL(&lines, "{\"table\":");
  tg_buf_json_str(&lines, text(&name));
  tg_buf_free(&name);
  TG_BUF_LITERAL(&lines, ",\"op\":\"");
  tg_buf_str(&lines, tg_str_of(tgr1_op_name(tgr1_row_op(row))));
  TG_BUF_LITERAL(&lines, "\",\"row\":");
  tg_error error = tgr1_current(row, &image) ? tg_json_image(&lines, rows, image) : NULL;
  TG_BUF_LITERAL(&lines, "}\n");
  return error;
}

static tg_error write(tg_rows *rows) {
  size_t before = lines.len;
  tg_error error = NULL;
  for (uint32_t i = 0; error == NULL && i < rows->batch.rows; i++) error = add(rows, tgr1_row_at(&rows->batch, i));
  /* A batch that fails comes again as a whole, so none of it may stay. */
  if (error != NULL) lines.len = before;
  return error;
}

/* Answers when everything that was written is durable; nothing else moves the changefeed's checkpoint. */
static tg_error flush(tg_barrier *barrier) {
  (void)barrier;
  if (lines.len == 0) return NULL;
  static const tg_attr headers[] = {{{"content-type", 12}, {"application/x-ndjson", 20}}};
  tg_request request = {.endpoint = text(&endpoint), .method = TG_POST, .path = text(&path), .headers = {headers, 1},
                        .body = {lines.ptr, lines.len}};
  tg_response response;
  tg_error error = tg_http_send(&request, &response);
  if (error == NULL) error = tg_http_check(&response);
  if (error == NULL) lines.len = 0;
  return error;
}

/* Lets the host flush early. */
static uint64_t buffered(void) { return lines.len; }

static const char NAME[] = "{{name}}";
static const tg_capability capabilities[] = {{{"http", 4}, true, {"rows are sent there", 19}}};

const tg_sink tg_sink_plugin = {
    .manifest = {{NAME, sizeof NAME - 1}, {"0.1.0", 5}, {SCHEMA, sizeof SCHEMA - 1}, {capabilities, 1}, 0, {NULL, 0}},
    .open = open,
    .write = write,
    .flush = flush,
    .buffered = buffered,
};
