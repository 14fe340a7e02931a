/* Memory of one call: chunks that are emptied when the next call begins. */
#include "tidegate/plugin.h"
#include "internal.h"

#include <stdlib.h>

/* Small allocations share chunks of this size; the first chunk stays, so that most calls allocate nothing. */
enum { CHUNK_BYTES = 4 << 10 };

struct tg_chunk {
  struct tg_chunk *next;
  size_t used, size;
  _Alignas(8) uint8_t data[];
};

static struct tg_chunk *chunks;
/* The call before is over: its memory goes when something new is wanted. The host reads answers after a call has returned. */
static bool over = true;

static void empty(void) {
  while (chunks != NULL && (chunks->next != NULL || chunks->size > CHUNK_BYTES)) {
    struct tg_chunk *next = chunks->next;
    free(chunks);
    chunks = next;
  }
  if (chunks != NULL) chunks->used = 0;
}

void tg_call_begin(void) {
  if (over) empty();
  over = false;
}

void tg_call_end(void) { over = true; }

struct tg_chunk *tg_keep_memory(void) {
  struct tg_chunk *kept = chunks;
  chunks = NULL;
  return kept;
}

void tg_free_memory(struct tg_chunk *kept) {
  while (kept != NULL) {
    struct tg_chunk *next = kept->next;
    free(kept);
    kept = next;
  }
}

void *tg_alloc(size_t size) {
  tg_call_begin();
  size = (size + 7) & ~(size_t)7;
  if (chunks == NULL || chunks->size - chunks->used < size) {
    size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    struct tg_chunk *chunk = room > SIZE_MAX - sizeof *chunk ? NULL : malloc(sizeof *chunk + room);
    if (chunk == NULL) tg_panic("out of memory");
    *chunk = (struct tg_chunk){chunks, 0, room};
    chunks = chunk;
  }
  void *p = chunks->data + chunks->used;
  chunks->used += size;
  return p;
}

tg_str tg_copy(tg_str text) {
  char *copy = tg_alloc(text.len);
  memcpy(copy, text.ptr, text.len);
  return (tg_str){copy, text.len};
}

#if defined(__wasm32__)
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
  (void)align;
  if (old_size != 0) tg_panic("the host asked to grow an allocation, which nothing of this contract needs");
  (void)old;
  return tg_alloc(size);
}
#endif
