/* The exports of a transform. */
#include "tidegate/transform.h"
#include "internal.h"

#include <stdlib.h>

static const tg_transform *const plugin = &tg_transform_plugin;
/* Keeps its memory from call to call. */
static tg_output output;

typedef struct { uint8_t tag; union { tg_failure failure; }; } unit_answer;
typedef struct { uint8_t tag; union { tg_transform_plan plan; tg_failure failure; }; } plan_answer;
typedef struct { uint8_t tag; union { struct { tg_bytes data; tg_u32s origins; tg_bad_rows bad; } rows; tg_failure failure; }; } rows_answer;
typedef struct { uint8_t tag; union { tg_opt_ddl ddl; tg_failure failure; }; } ddl_answer;

#if defined(__wasm32__)
_Static_assert(sizeof(plan_answer) == 120 && sizeof(rows_answer) == 32 && sizeof(ddl_answer) == 264, "canonical layout");
#endif

#define ANSWER(type, error)                        \
  static type answer;                              \
  tg_call_end();                                   \
  answer.tag = (error) != NULL;                    \
  if ((error) != NULL) answer.failure = *(error)

void tg_output_row(tg_output *out, uint32_t number, tgr1_row source) {
  if (out->len == out->cap) {
    size_t cap = out->cap == 0 ? 64 : 2 * out->cap;
    uint32_t *origins = realloc(out->origins, cap * sizeof *origins);
    if (origins == NULL) tg_panic("out of memory");
    out->origins = origins;
    out->cap = cap;
  }
  out->origins[out->len++] = number;
  tgr1_writer_row(&out->writer, tgr1_commit_ts(source), tgr1_start_ts(source), tgr1_row_op(source), tgr1_row_flags(source));
  tgr1_writer_route(&out->writer, tgr1_partition(source), tgr1_target(source), tgr1_lane(source));
}

void tg_output_copy(tg_output *out, uint32_t col, const tg_rows *rows, tgr1_image from, uint32_t from_col) {
  const uint8_t *bytes;
  size_t len;
  uint64_t value;
  if (tgr1_is_absent(from, from_col)) {
    tgr1_put_absent(&out->writer, col);
  } else if (tgr1_is_null(from, from_col)) {
    return;
  } else if (tgr1_column_at(&rows->batch, from_col).slot == TGR1_BYTES) {
    if (tgr1_get_bytes(from, from_col, &bytes, &len)) tgr1_put_bytes(&out->writer, col, bytes, len);
  } else if (tgr1_get_u64(from, from_col, &value)) {
    tgr1_put_u64(&out->writer, col, value);
  }
}

tg_error tg_output_end(tg_output *out) {
  if (tgr1_writer_end(&out->writer)) return NULL;
  out->len--;
  return tg_fatal("batch", "the rows do not fit into one batch of %u bytes", TGR1_LIMIT_BYTES);
}

TG_EXPORT("describe", "describe") const tg_manifest *tg_export_describe(void) { return &plugin->manifest; }

TG_EXPORT("transform", "open") const unit_answer *tg_export_transform_open(const tg_context *context) {
  tg_call_begin();
  tg_error error = plugin->open == NULL ? NULL : plugin->open(context);
  ANSWER(unit_answer, error);
  return &answer;
}

TG_EXPORT("transform", "on-schema") const plan_answer *tg_export_transform_on_schema(const tg_table *table) {
  tg_call_begin();
  tg_transform_plan plan = {0};
  tg_error error = plugin->on_schema == NULL ? NULL : plugin->on_schema(table, &plan);
  tg_table *kept = NULL;
  if (error == NULL && plan.output.some) {
    kept = tg_alloc(sizeof *kept);
    *kept = plan.output.value;
  }
  /* The output lies in the memory of this call, which the entry keeps. */
  if (error == NULL) tg_tables_put(table)->output = kept == NULL ? table : kept;
  ANSWER(plan_answer, error);
  if (error == NULL) answer.plan = plan;
  return &answer;
}

TG_EXPORT("transform", "drop-schema") void tg_export_transform_drop_schema(uint64_t table, uint64_t version) {
  tg_table_ref ref = {table, version};
  tg_call_begin();
  if (plugin->drop_schema != NULL) plugin->drop_schema(ref);
  tg_tables_drop(ref);
  tg_call_end();
}

static void begin(const tg_table *table, const tgr1_batch *like) {
  tgr1_column *columns = tg_alloc(table->columns.len * sizeof *columns);
  for (uint32_t i = 0; i < table->columns.len; i++) {
    uint8_t logical = tg_logical(&table->columns.ptr[i]);
    columns[i] = (tgr1_column){(uint16_t)i, (uint8_t)tgr1_slot_of(logical), logical};
  }
  bool absent = (tgr1_flags(like) & TGR1_FLAG_ABSENT) != 0;
  tgr1_writer_begin(&output.writer, table->ref.table, table->ref.version, columns, (uint32_t)table->columns.len, absent);
  output.len = 0;
}

TG_EXPORT("transform", "transform")
const rows_answer *tg_export_transform_transform(uint32_t batch, const uint8_t *data, size_t len) {
  tg_call_begin();
  const tg_entry *entry;
  tg_rows rows = {0};
  tg_error error = tg_tables_find(batch, &entry);
  if (error == NULL) error = tg_rows_of(&rows, entry->input, (tg_bytes){data, len});
  if (error == NULL) {
    rows.handle = batch;
    begin(entry->output, &rows.batch);
    error = plugin->transform(&rows, &output);
  }
  tg_raw_batch_drop(batch);
  ANSWER(rows_answer, error);
  if (error == NULL) {
    answer.rows.data = output.len == 0 ? (tg_bytes){NULL, 0} : tgr1_writer_finish(&output.writer);
    answer.rows.origins = (tg_u32s){output.origins, output.len};
    answer.rows.bad = (tg_bad_rows){rows.bad, rows.bad_len};
  }
  return &answer;
}

TG_EXPORT("transform", "on-ddl") const ddl_answer *tg_export_transform_on_ddl(const tg_ddl *ddl) {
  tg_call_begin();
  tg_opt_ddl out = {true, *ddl};
  tg_error error = plugin->on_ddl == NULL ? NULL : plugin->on_ddl(ddl, &out);
  ANSWER(ddl_answer, error);
  if (error == NULL) answer.ddl = out;
  return &answer;
}
