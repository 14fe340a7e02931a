/* The small capabilities: state, secret, clock, metrics. */
#ifndef TIDEGATE_HOST_H
#define TIDEGATE_HOST_H

#include "plugin.h"

/* A small durable map of this instance's slot and lane. Changes become durable together with the next acknowledged barrier, and are
 * thrown away when the instance is replaced before. All keys and values together: at most 64 KiB. */
bool tg_state_get(tg_str key, tg_bytes *value);
tg_error tg_state_set(tg_str key, tg_bytes value);
void tg_state_delete(tg_str key);
tg_strs tg_state_keys(tg_str prefix, uint32_t limit);

/* A secret the operator granted by name. Prefer endpoints, where the host keeps the secret to itself. */
tg_error tg_secret_get(tg_str name, tg_str *value);

/* Milliseconds since 1970, and nanoseconds since some moment, which never go back. */
uint64_t tg_wall_ms(void);
uint64_t tg_monotonic_ns(void);

/* Make these in `open`: hot calls carry a number only. */
typedef uint32_t tg_counter;
typedef uint32_t tg_gauge;
tg_counter tg_counter_new(tg_str name);
void tg_counter_add(tg_counter counter, uint64_t n);
tg_gauge tg_gauge_new(tg_str name);
void tg_gauge_set(tg_gauge gauge, double v);

#endif
