/* Message queues that speak Kafka's protocol. The client library, credentials, TLS and transactions belong to the host. */
#ifndef TIDEGATE_PRODUCER_H
#define TIDEGATE_PRODUCER_H

#include "plugin.h"

typedef uint32_t tg_producer;

typedef struct { tg_str name; tg_bytes value; } tg_header;
typedef struct { const tg_header *ptr; size_t len; } tg_headers;

/* One list per field; message i is item i of each. */
typedef struct {
  tg_u16s topic_of; /* index in `topics`; empty: all go to topic 0 */
  tg_strs topics;
  tg_u32s partitions; /* empty: the host spreads them by key */
  tg_blocks keys;     /* no ends at all: no keys */
  tg_blocks values;
  tg_headers headers; /* the same for all messages */
} tg_messages;

/* `endpoint` is one of the context's. */
tg_error tg_producer_open(tg_str endpoint, tg_producer *producer);
/* Partitions of a topic; makes the topic where the operator allows it. */
tg_error tg_producer_partitions(tg_producer producer, tg_str topic, uint32_t *partitions);
/* Largest message, key and headers included, that this topic takes. */
tg_error tg_producer_max_message_bytes(tg_producer producer, tg_str topic, uint32_t *bytes);
/* Takes the messages and returns; waits only while too many bytes are in flight. */
tg_error tg_producer_send(tg_producer producer, const tg_messages *messages);
/* Returns when the brokers have acknowledged everything sent. On a fenced endpoint, inside the sink's flush, this commits the
 * transaction together with the lane's position. */
tg_error tg_producer_flush(tg_producer producer);
void tg_producer_close(tg_producer producer);

#endif
