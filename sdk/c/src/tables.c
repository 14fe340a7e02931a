/* Schema versions in use. */
#include "internal.h"

#include <inttypes.h>
#include <stdlib.h>

static tg_entry *entries;
/* Rows of one table come in runs. */
static tg_entry *latest;

static bool is(const tg_entry *entry, tg_table_ref ref) {
  return entry->input->ref.table == ref.table && entry->input->ref.version == ref.version;
}

void tg_tables_drop(tg_table_ref ref) {
  for (tg_entry **at = &entries; *at != NULL; at = &(*at)->next) {
    if (is(*at, ref)) {
      tg_entry *gone = *at;
      *at = gone->next;
      tg_free_memory(gone->memory);
      free(gone);
      break;
    }
  }
  latest = NULL;
}

tg_entry *tg_tables_put(const tg_table *table) {
  tg_tables_drop(table->ref);
  tg_entry *entry = malloc(sizeof *entry);
  if (entry == NULL) tg_panic("out of memory");
  *entry = (tg_entry){entries, table, table, {NULL, 0}, true, tg_keep_memory()};
  entries = entry;
  return entry;
}

tg_error tg_tables_find(uint32_t batch, const tg_entry **entry) {
  tg_table_ref ref;
  tg_raw_batch_table(batch, &ref);
  if (latest == NULL || !is(latest, ref)) {
    for (latest = entries; latest != NULL && !is(latest, ref); latest = latest->next) {
    }
  }
  *entry = latest;
  if (latest != NULL) return NULL;
  return tg_fatal("schema", "rows of table %" PRIu64 " version %" PRIu64 " came before its schema", ref.table, ref.version);
}
