/* {{name}}: sends rows of one key to one lane, so that their order is kept. */
#include "tidegate/dispatcher.h"

static uint32_t lanes = 1;

static tg_error open(const tg_context *context) {
  lanes = context->lanes > 0 ? context->lanes : 1;
  return NULL;
}

/* Only the key crosses; a change of the key comes as a delete and an insert, which may go to different lanes. */
static tg_error on_schema(const tg_table *table, tg_dispatch_plan *plan) {
  plan->split_key_updates = true;
  if (table->row_key.some && table->row_key.value < table->indexes.len) {
    plan->columns = (tg_opt_u32s){true, table->indexes.ptr[table->row_key.value].columns};
  }
  return NULL;
}

/* Mixes the key's values. The same for ever: nothing random, nothing of the process. */
static uint64_t hash(const tg_rows *rows, tgr1_image image) {
  uint64_t mixed = 0, value;
  for (uint32_t col = 0; col < rows->batch.image.columns; col++) {
    const uint8_t *bytes;
    size_t len;
    if (tgr1_column_at(&rows->batch, col).slot == TGR1_BYTES) {
      if (!tgr1_get_bytes(image, col, &bytes, &len)) continue;
      for (size_t i = 0; i < len; i++) mixed = mixed * 31 + bytes[i];
    } else {
      mixed = mixed * 31 + (tgr1_get_u64(image, col, &value) ? value : 0);
    }
  }
  return mixed;
}

static tg_error dispatch(tg_rows *rows, tg_decisions *to) {
  to->targets = NULL;
  to->partitions = NULL;
  for (uint32_t i = 0; i < rows->batch.rows; i++) {
    tgr1_image image;
    if (tgr1_current(tgr1_row_at(&rows->batch, i), &image)) to->lanes[i] = (uint16_t)(hash(rows, image) % lanes);
  }
  return NULL;
}

static const char NAME[] = "{{name}}";

const tg_dispatcher tg_dispatcher_plugin = {
    .manifest = {{NAME, sizeof NAME - 1}, {"0.1.0", 5}, {NULL, 0}, {NULL, 0}, 0, {NULL, 0}},
    .open = open,
    .on_schema = on_schema,
    .dispatch = dispatch,
};
