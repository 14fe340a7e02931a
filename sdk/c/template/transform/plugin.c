/* {{name}}: puts stars in place of the texts of the columns that the configuration names. */
#include "tidegate/transform.h"

/* What the changefeed's file may say; the host checks it against this. */
static const char SCHEMA[] = "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": "
                             "{\"columns\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}}}}";

/* Names of the columns, in any table. */
static tg_strs names;

static tg_error open(const tg_context *context) {
  return tg_json_get_strs(context->config, "columns", &names);
}

static bool is_key(const tg_table *table, uint32_t col) {
  if (!table->row_key.some || table->row_key.value >= table->indexes.len) return true;
  tg_u32s key = table->indexes.ptr[table->row_key.value].columns;
  for (size_t i = 0; i < key.len; i++) {
    if (key.ptr[i] == col) return true;
  }
  return false;
}

/* Whether a column shows stars. Keys keep their values: rows that differ must stay different. */
static bool hidden(const tg_table *table, uint32_t col) {
  const tg_column *column = &table->columns.ptr[col];
  return tg_logical(column) == TGR1_LOGICAL_TEXT && tg_strs_have(names, column->name) && !is_key(table, col);
}

/* Tables without such columns are left alone. The columns stay what they are, so there is no other output to name. */
static tg_error on_schema(const tg_table *table, tg_transform_plan *plan) {
  for (uint32_t col = 0; col < table->columns.len; col++) plan->active = plan->active || hidden(table, col);
  return NULL;
}

static void copy(const tg_rows *rows, tgr1_image image, tg_output *out) {
  for (uint32_t col = 0; col < rows->batch.image.columns; col++) {
    if (hidden(rows->table, col) && !tgr1_is_null(image, col)) {
      tgr1_put_bytes(&out->writer, col, "***", 3);
    } else {
      tg_output_copy(out, col, rows, image, col);
    }
  }
}

static tg_error transform(tg_rows *rows, tg_output *out) {
  for (uint32_t i = 0; i < rows->batch.rows; i++) {
    tgr1_row row = tgr1_row_at(&rows->batch, i);
    tgr1_image image;
    tg_output_row(out, i, row);
    if (tgr1_after(row, &image)) {
      tgr1_writer_image(&out->writer, true);
      copy(rows, image, out);
    }
    if (tgr1_before(row, &image)) {
      tgr1_writer_image(&out->writer, false);
      copy(rows, image, out);
    }
    tg_error error = tg_output_end(out);
    if (error != NULL) return error;
  }
  return NULL;
}

static const char NAME[] = "{{name}}";

const tg_transform tg_transform_plugin = {
    .manifest = {{NAME, sizeof NAME - 1}, {"0.1.0", 5}, {SCHEMA, sizeof SCHEMA - 1}, {NULL, 0}, 0, {NULL, 0}},
    .open = open,
    .on_schema = on_schema,
    .transform = transform,
};
