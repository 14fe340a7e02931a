/* The small capabilities. */
#include "tidegate/host.h"

typedef struct { uint8_t tag; tg_str text; } text_answer;

#if defined(__wasm32__)
_Static_assert(sizeof(text_answer) == 12 && sizeof(tg_opt_bytes) == 12, "canonical layout");
#endif

TG_IMPORT("state", "get") void tg_raw_state_get(const char *key, size_t len, tg_opt_bytes *ret);
TG_IMPORT("state", "set") void tg_raw_state_set(const char *key, size_t key_len, const uint8_t *value, size_t len, text_answer *ret);
TG_IMPORT("state", "delete") void tg_raw_state_delete(const char *key, size_t len);
TG_IMPORT("state", "keys") void tg_raw_state_keys(const char *prefix, size_t len, uint32_t limit, tg_strs *ret);
TG_IMPORT("secret", "get") void tg_raw_secret_get(const char *name, size_t len, text_answer *ret);
TG_IMPORT("clock", "wall-ms") uint64_t tg_raw_wall_ms(void);
TG_IMPORT("clock", "monotonic-ns") uint64_t tg_raw_monotonic_ns(void);
TG_IMPORT("metrics", "[constructor]counter") uint32_t tg_raw_counter(const char *name, size_t len);
TG_IMPORT("metrics", "[method]counter.add") void tg_raw_counter_add(uint32_t counter, uint64_t n);
TG_IMPORT("metrics", "[constructor]gauge") uint32_t tg_raw_gauge(const char *name, size_t len);
TG_IMPORT("metrics", "[method]gauge.set") void tg_raw_gauge_set(uint32_t gauge, double v);

bool tg_state_get(tg_str key, tg_bytes *value) {
  tg_opt_bytes ret;
  tg_raw_state_get(key.ptr, key.len, &ret);
  if (ret.some) *value = ret.value;
  return ret.some;
}

tg_error tg_state_set(tg_str key, tg_bytes value) {
  text_answer ret;
  tg_raw_state_set(key.ptr, key.len, value.ptr, value.len, &ret);
  if (ret.tag == 0) return NULL;
  return tg_fatal("state", "keeping %.*s: %.*s", (int)key.len, key.ptr, (int)ret.text.len, ret.text.ptr);
}

void tg_state_delete(tg_str key) { tg_raw_state_delete(key.ptr, key.len); }

tg_strs tg_state_keys(tg_str prefix, uint32_t limit) {
  tg_strs keys;
  tg_raw_state_keys(prefix.ptr, prefix.len, limit, &keys);
  return keys;
}

tg_error tg_secret_get(tg_str name, tg_str *value) {
  text_answer ret;
  tg_raw_secret_get(name.ptr, name.len, &ret);
  if (ret.tag != 0) return tg_fatal("secret", "secret %.*s: %.*s", (int)name.len, name.ptr, (int)ret.text.len, ret.text.ptr);
  *value = ret.text;
  return NULL;
}

uint64_t tg_wall_ms(void) { return tg_raw_wall_ms(); }
uint64_t tg_monotonic_ns(void) { return tg_raw_monotonic_ns(); }
tg_counter tg_counter_new(tg_str name) { return tg_raw_counter(name.ptr, name.len); }
void tg_counter_add(tg_counter counter, uint64_t n) { tg_raw_counter_add(counter, n); }
tg_gauge tg_gauge_new(tg_str name) { return tg_raw_gauge(name.ptr, name.len); }
void tg_gauge_set(tg_gauge gauge, double v) { tg_raw_gauge_set(gauge, v); }
