/* Rows with their tables. */
#include "internal.h"

#include <inttypes.h>
#include <stdlib.h>

#define NAME(table) (int)(table)->database.len, (table)->database.ptr, (int)(table)->name.len, (table)->name.ptr

tg_error tg_rows_of(tg_rows *rows, const tg_table *table, tg_bytes data) {
  *rows = (tg_rows){.table = table};
  tgr1_fault fault = tgr1_parse(data.ptr, data.len, &rows->batch);
  if (fault != TGR1_OK) return tg_fatal("batch", "%.*s.%.*s: %s", NAME(table), tgr1_fault_text(fault));
  for (uint32_t col = 0; col < rows->batch.image.columns; col++) {
    if (tgr1_column_at(&rows->batch, col).position >= table->columns.len) {
      return tg_fatal("batch", "the batch of %.*s.%.*s has a column at position %d, the table has %zu", NAME(table),
                      tgr1_column_at(&rows->batch, col).position, table->columns.len);
    }
  }
  return NULL;
}

void tg_quarantine(tg_rows *rows, uint32_t row, tg_str code, tg_str message) {
  if (rows->bad_len == rows->bad_cap) {
    size_t cap = rows->bad_cap == 0 ? 8 : 2 * rows->bad_cap;
    tg_bad_row *bad = tg_alloc(cap * sizeof *bad);
    if (rows->bad_len > 0) memcpy(bad, rows->bad, rows->bad_len * sizeof *bad);
    rows->bad = bad;
    rows->bad_cap = cap;
  }
  rows->bad[rows->bad_len++] = (tg_bad_row){row, tg_copy(code), tg_copy(message)};
}

#if defined(__wasm32__)
typedef struct { uint8_t tag; union { tg_bytes data; tg_str reason; }; } raw_read;
TG_IMPORT("rows", "[method]row-batch.read")
void tg_raw_batch_read(uint32_t batch, uint32_t some, const uint32_t *columns, size_t n, uint32_t start, uint32_t count, raw_read *ret);

tg_error tg_read(tg_rows *rows, const tg_u32s *columns, uint32_t start, uint32_t count, tg_bytes *data) {
  raw_read ret;
  const tg_u32s none = {NULL, 0}, *wanted = columns == NULL ? &none : columns;
  tg_raw_batch_read(rows->handle, columns != NULL, wanted->ptr, wanted->len, start, count, &ret);
  if (ret.tag != 0) return tg_fatal("read", "reading more of the batch: %.*s", (int)ret.reason.len, ret.reason.ptr);
  *data = ret.data;
  return NULL;
}
#else
tg_error tg_read(tg_rows *rows, const tg_u32s *columns, uint32_t start, uint32_t count, tg_bytes *data) {
  (void)rows, (void)columns, (void)start, (void)count, (void)data;
  return tg_unsupported("no-host", "this runs outside of a host");
}
#endif

uint32_t tg_find_column(const tg_rows *rows, const char *name) {
  for (uint32_t col = 0; col < rows->batch.image.columns; col++) {
    if (tg_str_is(tg_column_of(rows, col)->name, name)) return col;
  }
  return UINT32_MAX;
}

tg_str tg_target_name(const tg_rows *rows, tgr1_row row) {
  uint16_t target = tgr1_target(row);
  return target < rows->targets.len ? rows->targets.ptr[target] : rows->table->name;
}

tg_error tg_get(const tg_rows *rows, tgr1_image image, uint32_t col, tg_value *value) {
  *value = (tg_value){.kind = TG_V_NULL};
  if (tgr1_is_null(image, col)) return NULL;
  tgr1_column spec = tgr1_column_at(&rows->batch, col);
  value->logical = spec.logical;
  switch (spec.slot) {
  case TGR1_INT:
    value->kind = TG_V_INT;
    tgr1_get_i64(image, col, &value->i);
    return NULL;
  case TGR1_UINT:
    value->kind = TG_V_UINT;
    tgr1_get_u64(image, col, &value->u);
    return NULL;
  case TGR1_FLOAT:
    value->kind = TG_V_FLOAT;
    tgr1_get_f64(image, col, &value->f);
    return NULL;
  default:
    value->kind = TG_V_BYTES;
    if (tgr1_get_bytes(image, col, &value->bytes.ptr, &value->bytes.len)) return NULL;
    value->kind = TG_V_NULL;
    return tg_fatal("batch", "a string of %.*s.%.*s lies outside its row", NAME(rows->table));
  }
}

tg_str tg_enum_text(const tg_column *column, uint64_t number) {
  return number == 0 || number > column->members.len ? (tg_str){"", 0} : column->members.ptr[number - 1];
}
