/* A plugin that turns rows to rows, before dispatch. Define `tg_transform_plugin`; what is NULL has a sensible default. */
#ifndef TIDEGATE_TRANSFORM_H
#define TIDEGATE_TRANSFORM_H

#include "plugin.h"
#include "writer.h"

/* What becomes of one table version. It starts out as: the table is left alone. */
typedef struct {
  bool active;         /* transform is called for rows of this table */
  tg_opt_u32s columns; /* positions of the columns wanted */
  /* What the table is to everyone behind, with the same ref; none: as it was. What it points to must last until it is dropped: memory of
   * on_schema's call does. */
  tg_opt_table output;
  tg_attrs attrs;
} tg_transform_plan;

/* Takes the rows of the answer. Begin a row with tg_output_row, then its images with the writer, then tg_output_end. */
typedef struct {
  tgr1_writer writer;
  uint32_t *origins;
  size_t len, cap;
} tg_output;

/* Starts a row that comes from row `number` of the input, with its timestamps, op, flags and route. */
void tg_output_row(tg_output *out, uint32_t number, tgr1_row source);
/* Writes one column of an image as it is. */
void tg_output_copy(tg_output *out, uint32_t col, const tg_rows *rows, tgr1_image from, uint32_t from_col);
tg_error tg_output_end(tg_output *out);

typedef struct {
  tg_manifest manifest;
  /* Starts. The context is good for this call only. */
  tg_error (*open)(const tg_context *context);
  /* Before the first row of a table version. The table is good until it is dropped. */
  tg_error (*on_schema)(const tg_table *table, tg_transform_plan *plan);
  /* Writes rows, in the order of the input, each with the images of the row it came from. Pure: the same answer for the same rows. */
  tg_error (*transform)(tg_rows *rows, tg_output *out);
  /* The statement as everyone behind is to see it; they do not see it when `some` is false. NULL: it passes as it is. */
  tg_error (*on_ddl)(const tg_ddl *ddl, tg_opt_ddl *out);
  void (*drop_schema)(tg_table_ref table);
} tg_transform;

extern const tg_transform tg_transform_plugin;

#endif
