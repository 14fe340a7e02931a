/* The producer capability. */
#include "tidegate/producer.h"

typedef struct { uint8_t tag; union { uint32_t number; tg_failure failure; }; } number_answer;
typedef struct { tg_producer producer; tg_messages messages; } send_params;

#if defined(__wasm32__)
_Static_assert(sizeof(number_answer) == 32 && sizeof(send_params) == 68, "canonical layout");
#endif

TG_IMPORT("producer", "[static]topic-producer.open") void tg_raw_producer_open(const char *endpoint, size_t len, number_answer *ret);
TG_IMPORT("producer", "[method]topic-producer.partitions")
void tg_raw_producer_partitions(tg_producer producer, const char *topic, size_t len, number_answer *ret);
TG_IMPORT("producer", "[method]topic-producer.max-message-bytes")
void tg_raw_producer_max(tg_producer producer, const char *topic, size_t len, number_answer *ret);
TG_IMPORT("producer", "[method]topic-producer.send") void tg_raw_producer_send(const send_params *params, number_answer *ret);
TG_IMPORT("producer", "[method]topic-producer.flush") void tg_raw_producer_flush(tg_producer producer, number_answer *ret);
TG_IMPORT("producer", "[resource-drop]topic-producer") void tg_raw_producer_drop(tg_producer producer);

static tg_error answered(const number_answer *ret, uint32_t *number) {
  if (ret->tag != 0) {
    tg_failure *failure = tg_alloc(sizeof *failure);
    *failure = ret->failure;
    return failure;
  }
  if (number != NULL) *number = ret->number;
  return NULL;
}

tg_error tg_producer_open(tg_str endpoint, tg_producer *producer) {
  number_answer ret;
  tg_raw_producer_open(endpoint.ptr, endpoint.len, &ret);
  return answered(&ret, producer);
}

tg_error tg_producer_partitions(tg_producer producer, tg_str topic, uint32_t *partitions) {
  number_answer ret;
  tg_raw_producer_partitions(producer, topic.ptr, topic.len, &ret);
  return answered(&ret, partitions);
}

tg_error tg_producer_max_message_bytes(tg_producer producer, tg_str topic, uint32_t *bytes) {
  number_answer ret;
  tg_raw_producer_max(producer, topic.ptr, topic.len, &ret);
  return answered(&ret, bytes);
}

tg_error tg_producer_send(tg_producer producer, const tg_messages *messages) {
  send_params params = {producer, *messages};
  number_answer ret;
  tg_raw_producer_send(&params, &ret);
  return answered(&ret, NULL);
}

tg_error tg_producer_flush(tg_producer producer) {
  number_answer ret;
  tg_raw_producer_flush(producer, &ret);
  return answered(&ret, NULL);
}

void tg_producer_close(tg_producer producer) { tg_raw_producer_drop(producer); }
