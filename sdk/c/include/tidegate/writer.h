/* Writes a TGR1 batch: begin a row, begin an image, put every column that is not NULL, end the row. */
#ifndef TIDEGATE_WRITER_H
#define TIDEGATE_WRITER_H

#include "plugin.h"

typedef struct {
  tg_buf data;
  const tgr1_column *columns;
  uint32_t n_columns;
  bool absent;
  uint32_t *index;
  size_t rows, cap;
  size_t row, image; /* where those in progress start */
  uint64_t min, max;
} tgr1_writer;

/* Starts a batch; the columns must outlive it. With `absent`, images carry an absent bitmap. A writer that was used keeps its memory. */
void tgr1_writer_begin(tgr1_writer *w, uint64_t table, uint64_t version, const tgr1_column *columns, uint32_t n, bool absent);
void tgr1_writer_row(tgr1_writer *w, uint64_t commit_ts, uint64_t start_ts, tgr1_op op, uint16_t flags);
void tgr1_writer_route(tgr1_writer *w, uint32_t partition, uint16_t target, uint16_t lane);
/* The after image, or the before image, all of it NULL. */
void tgr1_writer_image(tgr1_writer *w, bool after);
void tgr1_put_u64(tgr1_writer *w, uint32_t col, uint64_t v);
void tgr1_put_i64(tgr1_writer *w, uint32_t col, int64_t v);
void tgr1_put_f64(tgr1_writer *w, uint32_t col, double v);
void tgr1_put_bytes(tgr1_writer *w, uint32_t col, const void *data, size_t len);
void tgr1_put_absent(tgr1_writer *w, uint32_t col);
/* False: the row is undone, with it the batch would be too large. */
bool tgr1_writer_end(tgr1_writer *w);
/* The batch, good until the writer is used again. */
tg_bytes tgr1_writer_finish(tgr1_writer *w);
void tgr1_writer_free(tgr1_writer *w);

#endif
