/* A plugin that writes somewhere. Define `tg_sink_plugin`; what is NULL has a sensible default. */
#ifndef TIDEGATE_SINK_H
#define TIDEGATE_SINK_H

#include "plugin.h"

/* What a sink wants of one table version. It starts out as: all columns, delivered. */
typedef struct {
  tg_opt_u32s columns; /* positions; empty: row headers only */
  bool deliver;        /* false: rows are read on demand, with tg_read */
  tg_opt_u32 batch_rows, batch_bytes;
  tg_attrs attrs;
} tg_plan;

typedef enum { TG_CHECKPOINT, TG_DDL_FOLLOWS, TG_SWAP, TG_STOP } tg_barrier_kind;

/* A demand to make everything written durable. What a sink leaves in it is the answer. */
typedef struct {
  uint32_t id;
  tg_barrier_kind kind;
  tg_position at;
  bool incomplete; /* not everything is durable yet: the host asks again */
  tg_opt_bytes state; /* saved by the host in one step with the checkpoint; at most 64 KiB */
} tg_barrier;

typedef struct {
  tg_manifest manifest;
  /* Starts. Everything up to the context's checkpoint is durable already. The context is good for this call only. */
  tg_error (*open)(const tg_context *context);
  /* Before the first row of a table version. The table is good until it is dropped. */
  tg_error (*on_schema)(const tg_table *table, tg_strs targets, tg_plan *plan);
  /* Rows of one table version, in commit order, good for this call only; they need not be durable yet. */
  tg_error (*write)(tg_rows *rows);
  /* Makes everything written so far durable. */
  tg_error (*flush)(tg_barrier *barrier);
  /* Only between barriers. NULL: statements are passed over. */
  tg_error (*on_ddl)(const tg_ddl *ddl);
  /* What the sink's own store holds: asked after open and after failures of unknown outcome. NULL: it keeps no position. */
  tg_error (*status)(tg_opt_position *at);
  /* Up to where the whole changefeed is durable; on the instance that runs DDL, about once a second. */
  tg_error (*on_checkpoint)(tg_position at);
  /* Every second. */
  tg_error (*on_tick)(void);
  /* Bytes held and not durable: the host may flush early. */
  uint64_t (*buffered)(void);
  void (*drop_schema)(tg_table_ref table);
  void (*close)(void);
} tg_sink;

extern const tg_sink tg_sink_plugin;

#endif
