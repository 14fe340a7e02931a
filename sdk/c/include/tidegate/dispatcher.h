/* A plugin that decides where rows go. Define `tg_dispatcher_plugin`; what is NULL has a sensible default. */
#ifndef TIDEGATE_DISPATCHER_H
#define TIDEGATE_DISPATCHER_H

#include "plugin.h"

/* The lane that means: leave the row out. */
enum { TG_LEAVE_OUT = 0xffff };

/* What a dispatcher wants of one table version. It starts out as: all columns, no targets. */
typedef struct {
  tg_opt_u32s columns; /* positions needed for the decision; empty: row headers only */
  tg_strs targets;     /* names that decisions point to; empty: the table itself */
  bool split_key_updates; /* an update whose row key changed comes as a delete and an insert */
  tg_attrs attrs;
} tg_dispatch_plan;

/* Where each row goes: one item per row, 0 to start with. Set a list to NULL to say 0 for all. */
typedef struct {
  uint16_t *lanes, *targets;
  uint32_t *partitions;
} tg_decisions;

typedef struct {
  tg_manifest manifest;
  /* Starts. The context says how many lanes there are, and is good for this call only. */
  tg_error (*open)(const tg_context *context);
  /* Before the first row of a table version. The table is good until it is dropped. */
  tg_error (*on_schema)(const tg_table *table, tg_dispatch_plan *plan);
  /* Decides for every row. Pure: the same answer for the same rows. */
  tg_error (*dispatch)(tg_rows *rows, tg_decisions *to);
  /* Partitions of each target of the table's plan, when the sink's side knows; before the table's first rows. */
  void (*partition_counts)(tg_table_ref table, tg_u32s counts);
  void (*drop_schema)(tg_table_ref table);
} tg_dispatcher;

extern const tg_dispatcher tg_dispatcher_plugin;

#endif
