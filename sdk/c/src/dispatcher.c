/* The exports of a dispatcher. */
#include "tidegate/dispatcher.h"
#include "internal.h"

static const tg_dispatcher *const plugin = &tg_dispatcher_plugin;

typedef struct { uint8_t tag; union { tg_failure failure; }; } unit_answer;
typedef struct { uint8_t tag; union { tg_dispatch_plan plan; tg_failure failure; }; } plan_answer;
typedef struct {
  uint8_t tag;
  union { struct { tg_u16s lanes, targets; tg_u32s partitions; tg_bad_rows bad; } decisions; tg_failure failure; };
} dispatch_answer;

#if defined(__wasm32__)
_Static_assert(sizeof(plan_answer) == 36 && sizeof(dispatch_answer) == 36, "canonical layout");
#endif

#define ANSWER(type, error)                        \
  static type answer;                              \
  tg_call_end();                                   \
  answer.tag = (error) != NULL;                    \
  if ((error) != NULL) answer.failure = *(error)

TG_EXPORT("describe", "describe") const tg_manifest *tg_export_describe(void) { return &plugin->manifest; }

TG_EXPORT("dispatcher", "open") const unit_answer *tg_export_dispatcher_open(const tg_context *context) {
  tg_call_begin();
  tg_error error = plugin->open == NULL ? NULL : plugin->open(context);
  ANSWER(unit_answer, error);
  return &answer;
}

TG_EXPORT("dispatcher", "on-schema") const plan_answer *tg_export_dispatcher_on_schema(const tg_table *table) {
  tg_call_begin();
  tg_tables_put(table);
  tg_dispatch_plan plan = {0};
  tg_error error = plugin->on_schema == NULL ? NULL : plugin->on_schema(table, &plan);
  ANSWER(plan_answer, error);
  if (error == NULL) answer.plan = plan;
  return &answer;
}

TG_EXPORT("dispatcher", "drop-schema") void tg_export_dispatcher_drop_schema(uint64_t table, uint64_t version) {
  tg_table_ref ref = {table, version};
  tg_call_begin();
  if (plugin->drop_schema != NULL) plugin->drop_schema(ref);
  tg_tables_drop(ref);
  tg_call_end();
}

TG_EXPORT("dispatcher", "partition-counts")
void tg_export_dispatcher_partition_counts(uint64_t table, uint64_t version, const uint32_t *counts, size_t n) {
  tg_call_begin();
  if (plugin->partition_counts != NULL) plugin->partition_counts((tg_table_ref){table, version}, (tg_u32s){counts, n});
  tg_call_end();
}

static void *zeros(size_t n, size_t size) { return memset(tg_alloc(n * size), 0, n * size); }

TG_EXPORT("dispatcher", "dispatch")
const dispatch_answer *tg_export_dispatcher_dispatch(uint32_t batch, const uint8_t *data, size_t len) {
  tg_call_begin();
  const tg_entry *entry;
  tg_rows rows = {0};
  tg_decisions to = {0};
  tg_error error = tg_tables_find(batch, &entry);
  if (error == NULL) error = tg_rows_of(&rows, entry->input, (tg_bytes){data, len});
  uint32_t n = rows.batch.rows;
  if (error == NULL) {
    rows.handle = batch;
    to = (tg_decisions){zeros(n, 2), zeros(n, 2), zeros(n, 4)};
    error = plugin->dispatch(&rows, &to);
  }
  tg_raw_batch_drop(batch);
  ANSWER(dispatch_answer, error);
  if (error == NULL) {
    answer.decisions.lanes = (tg_u16s){to.lanes, to.lanes == NULL ? 0 : n};
    answer.decisions.targets = (tg_u16s){to.targets, to.targets == NULL ? 0 : n};
    answer.decisions.partitions = (tg_u32s){to.partitions, to.partitions == NULL ? 0 : n};
    answer.decisions.bad = (tg_bad_rows){rows.bad, rows.bad_len};
  }
  return &answer;
}
