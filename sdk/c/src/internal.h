/* Shared by the sources of the SDK; not for plugins. */
#ifndef TIDEGATE_INTERNAL_H
#define TIDEGATE_INTERNAL_H

#include "tidegate/plugin.h"

struct tg_chunk;

/* Every export begins and ends with these. */
void tg_call_begin(void);
void tg_call_end(void);
/* Takes the memory of the call over, so that what lies there stays; gives such memory back. */
struct tg_chunk *tg_keep_memory(void);
void tg_free_memory(struct tg_chunk *kept);

TG_IMPORT("rows", "[method]row-batch.table") void tg_raw_batch_table(uint32_t batch, tg_table_ref *ret);
TG_IMPORT("rows", "[resource-drop]row-batch") void tg_raw_batch_drop(uint32_t batch);

/* Schema versions in use: what a plugin was told of a table, and the memory it lies in. */
typedef struct tg_entry {
  struct tg_entry *next;
  const tg_table *input, *output;
  tg_strs targets;
  bool deliver;
  struct tg_chunk *memory;
} tg_entry;
/* A new entry, which keeps the memory of the call; replaces one of the same table version. */
tg_entry *tg_tables_put(const tg_table *table);
void tg_tables_drop(tg_table_ref ref);
/* The entry of a batch's table. */
tg_error tg_tables_find(uint32_t batch, const tg_entry **entry);

#define TG_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
