/* Writes a TGR1 batch. */
#include "tidegate/writer.h"

#include <stdlib.h>

static void zeros(tg_buf *buf, size_t n) {
  if (buf->cap - buf->len < n) tg_buf_reserve(buf, n);
  if (n > 0) memset(buf->ptr + buf->len, 0, n);
  buf->len += n;
}

static void pad(tg_buf *buf) { zeros(buf, (8 - buf->len % 8) % 8); }
static void set16(tgr1_writer *w, size_t at, uint16_t v) { memcpy(w->data.ptr + at, &v, 2); }
static void set32(tgr1_writer *w, size_t at, uint32_t v) { memcpy(w->data.ptr + at, &v, 4); }
static void set64(tgr1_writer *w, size_t at, uint64_t v) { memcpy(w->data.ptr + at, &v, 8); }

void tgr1_writer_begin(tgr1_writer *w, uint64_t table, uint64_t version, const tgr1_column *columns, uint32_t n, bool absent) {
  w->columns = columns;
  w->n_columns = n;
  w->absent = absent;
  w->data.len = w->rows = 0;
  w->min = UINT64_MAX;
  w->max = 0;
  zeros(&w->data, TGR1_HEADER_LEN + (size_t)n * TGR1_COLUMN_LEN);
  memcpy(w->data.ptr, "TGR1", 4);
  set16(w, 6, absent ? TGR1_FLAG_ABSENT : 0);
  set32(w, 8, TGR1_HEADER_LEN);
  set32(w, 16, n);
  set64(w, 24, table);
  set64(w, 32, version);
  set32(w, 44, TGR1_ROW_HEADER_LEN);
  for (uint32_t i = 0; i < n; i++) {
    size_t at = TGR1_HEADER_LEN + (size_t)i * TGR1_COLUMN_LEN;
    set16(w, at, columns[i].position);
    w->data.ptr[at + 2] = columns[i].slot;
    w->data.ptr[at + 3] = columns[i].logical;
  }
}

void tgr1_writer_row(tgr1_writer *w, uint64_t commit_ts, uint64_t start_ts, tgr1_op op, uint16_t flags) {
  w->row = w->data.len;
  zeros(&w->data, TGR1_ROW_HEADER_LEN);
  set64(w, w->row, commit_ts);
  set64(w, w->row + 8, start_ts);
  w->data.ptr[w->row + 16] = op;
  set16(w, w->row + 18, flags);
}

void tgr1_writer_route(tgr1_writer *w, uint32_t partition, uint16_t target, uint16_t lane) {
  set32(w, w->row + 32, partition);
  set16(w, w->row + 36, target);
  set16(w, w->row + 38, lane);
}

static size_t slots(const tgr1_writer *w) { return tgr1_bitmap_len(w->n_columns) * (w->absent ? 2u : 1u); }

void tgr1_writer_image(tgr1_writer *w, bool after) {
  pad(&w->data);
  w->image = w->data.len;
  w->data.ptr[w->row + 17] |= after ? 1 : 2;
  set32(w, w->row + (after ? 24 : 28), (uint32_t)(w->image - w->row));
  zeros(&w->data, slots(w) + 8 * (size_t)w->n_columns);
  for (uint32_t col = 0; col < w->n_columns; col++) w->data.ptr[w->image + col / 8] |= (uint8_t)(1 << col % 8);
}

void tgr1_put_u64(tgr1_writer *w, uint32_t col, uint64_t v) {
  if (col >= w->n_columns) tg_panic("a column that the batch does not have was written");
  w->data.ptr[w->image + col / 8] &= (uint8_t)~(1 << col % 8);
  set64(w, w->image + slots(w) + 8 * (size_t)col, v);
}

void tgr1_put_i64(tgr1_writer *w, uint32_t col, int64_t v) { tgr1_put_u64(w, col, (uint64_t)v); }

void tgr1_put_f64(tgr1_writer *w, uint32_t col, double v) {
  uint64_t bits;
  memcpy(&bits, &v, 8);
  tgr1_put_u64(w, col, bits);
}

void tgr1_put_bytes(tgr1_writer *w, uint32_t col, const void *data, size_t len) {
  tgr1_put_u64(w, col, (uint64_t)len << 32 | (uint64_t)(w->data.len - w->row));
  if (len > 0) tg_buf_put(&w->data, data, len);
}

void tgr1_put_absent(tgr1_writer *w, uint32_t col) {
  if (w->absent && col < w->n_columns) {
    w->data.ptr[w->image + tgr1_bitmap_len(w->n_columns) + col / 8] |= (uint8_t)(1 << col % 8);
  }
}

bool tgr1_writer_end(tgr1_writer *w) {
  pad(&w->data);
  if (w->data.len + 8 * (w->rows + 2) > TGR1_LIMIT_BYTES) {
    w->data.len = w->row;
    return false;
  }
  if (w->rows == w->cap) {
    size_t cap = w->cap == 0 ? 64 : 2 * w->cap;
    uint32_t *index = realloc(w->index, cap * sizeof *index);
    if (index == NULL) tg_panic("out of memory");
    w->index = index;
    w->cap = cap;
  }
  set32(w, w->row + 20, (uint32_t)(w->data.len - w->row));
  w->index[w->rows++] = (uint32_t)w->row;
  uint64_t ts = tgr1_u64(w->data.ptr + w->row);
  if (ts < w->min) w->min = ts;
  if (ts > w->max) w->max = ts;
  return true;
}

tg_bytes tgr1_writer_finish(tgr1_writer *w) {
  set32(w, 12, (uint32_t)w->rows);
  set32(w, 20, (uint32_t)w->data.len);
  if (w->rows > 0) tg_buf_put(&w->data, w->index, w->rows * sizeof *w->index);
  pad(&w->data);
  set32(w, 40, (uint32_t)w->data.len);
  set64(w, 48, w->rows > 0 ? w->min : 0);
  set64(w, 56, w->max);
  return (tg_bytes){w->data.ptr, w->data.len};
}

void tgr1_writer_free(tgr1_writer *w) {
  tg_buf_free(&w->data);
  free(w->index);
  w->index = NULL;
  w->cap = 0;
}
