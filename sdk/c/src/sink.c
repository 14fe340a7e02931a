/* The exports of a sink. */
#include "tidegate/sink.h"
#include "internal.h"

static const tg_sink *const plugin = &tg_sink_plugin;

typedef struct { uint8_t tag; union { tg_failure failure; }; } unit_answer;
typedef struct { uint8_t tag; union { tg_opt_position at; tg_failure failure; }; } position_answer;
typedef struct { uint8_t tag; union { tg_plan plan; tg_failure failure; }; } plan_answer;
typedef struct { uint8_t tag; union { struct { tg_bad_rows bad; uint64_t buffered; } outcome; tg_failure failure; }; } write_answer;
typedef struct {
  uint8_t tag;
  union { struct { uint32_t barrier; bool complete; tg_opt_bytes state; } ack; tg_failure failure; };
} flush_answer;

#if defined(__wasm32__)
_Static_assert(sizeof(position_answer) == 40 && sizeof(plan_answer) == 44 && sizeof(write_answer) == 40 && sizeof(flush_answer) == 32,
               "canonical layout");
#endif

#define ANSWER(type, error)                        \
  static type answer;                              \
  tg_call_end();                                   \
  answer.tag = (error) != NULL;                    \
  if ((error) != NULL) answer.failure = *(error)

static const unit_answer *unit(tg_error error) {
  ANSWER(unit_answer, error);
  return &answer;
}

static const position_answer *position(tg_error error) {
  tg_opt_position at = {0};
  if (error == NULL && plugin->status != NULL) error = plugin->status(&at);
  ANSWER(position_answer, error);
  if (error == NULL) answer.at = at;
  return &answer;
}

TG_EXPORT("describe", "describe") const tg_manifest *tg_export_describe(void) { return &plugin->manifest; }

TG_EXPORT("sink", "open") const position_answer *tg_export_sink_open(const tg_context *context) {
  tg_call_begin();
  return position(plugin->open == NULL ? NULL : plugin->open(context));
}

TG_EXPORT("sink", "on-schema") const plan_answer *tg_export_sink_on_schema(const struct { tg_table table; tg_strs targets; } *params) {
  tg_call_begin();
  tg_entry *entry = tg_tables_put(&params->table);
  entry->targets = params->targets;
  tg_plan plan = {.deliver = true};
  tg_error error = plugin->on_schema == NULL ? NULL : plugin->on_schema(&params->table, params->targets, &plan);
  entry->deliver = plan.deliver;
  ANSWER(plan_answer, error);
  if (error == NULL) answer.plan = plan;
  return &answer;
}

TG_EXPORT("sink", "drop-schema") void tg_export_sink_drop_schema(uint64_t table, uint64_t version) {
  tg_table_ref ref = {table, version};
  tg_call_begin();
  if (plugin->drop_schema != NULL) plugin->drop_schema(ref);
  tg_tables_drop(ref);
  tg_call_end();
}

TG_EXPORT("sink", "on-ddl") const unit_answer *tg_export_sink_on_ddl(const tg_ddl *ddl) {
  tg_call_begin();
  return unit(plugin->on_ddl == NULL ? NULL : plugin->on_ddl(ddl));
}

TG_EXPORT("sink", "write") const write_answer *tg_export_sink_write(uint32_t batch, const uint8_t *data, size_t len) {
  tg_call_begin();
  const tg_entry *entry;
  tg_rows rows = {0};
  tg_error error = tg_tables_find(batch, &entry);
  if (error == NULL && entry->deliver) error = tg_rows_of(&rows, entry->input, (tg_bytes){data, len});
  if (error == NULL) {
    rows.table = entry->input;
    rows.targets = entry->targets;
    rows.handle = batch;
    error = plugin->write(&rows);
  }
  tg_raw_batch_drop(batch);
  ANSWER(write_answer, error);
  if (error == NULL) {
    answer.outcome.bad = (tg_bad_rows){rows.bad, rows.bad_len};
    answer.outcome.buffered = plugin->buffered == NULL ? 0 : plugin->buffered();
  }
  return &answer;
}

TG_EXPORT("sink", "flush")
const flush_answer *tg_export_sink_flush(uint32_t id, uint32_t kind, uint64_t ts, uint32_t stage, uint64_t seq) {
  tg_call_begin();
  tg_barrier barrier = {.id = id, .kind = (tg_barrier_kind)kind, .at = {ts, (uint8_t)stage, seq}};
  tg_error error = plugin->flush(&barrier);
  ANSWER(flush_answer, error);
  if (error == NULL) {
    answer.ack.barrier = id;
    answer.ack.complete = !barrier.incomplete;
    answer.ack.state = barrier.state;
  }
  return &answer;
}

TG_EXPORT("sink", "status") const position_answer *tg_export_sink_status(void) {
  tg_call_begin();
  return position(NULL);
}

TG_EXPORT("sink", "on-checkpoint") const unit_answer *tg_export_sink_on_checkpoint(uint64_t ts, uint32_t stage, uint64_t seq) {
  tg_call_begin();
  return unit(plugin->on_checkpoint == NULL ? NULL : plugin->on_checkpoint((tg_position){ts, (uint8_t)stage, seq}));
}

TG_EXPORT("sink", "on-tick") const unit_answer *tg_export_sink_on_tick(void) {
  tg_call_begin();
  return unit(plugin->on_tick == NULL ? NULL : plugin->on_tick());
}

TG_EXPORT("sink", "close") void tg_export_sink_close(void) {
  tg_call_begin();
  if (plugin->close != NULL) plugin->close();
  tg_call_end();
}
