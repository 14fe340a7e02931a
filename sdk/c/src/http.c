/* The http capability. */
#include "tidegate/http.h"

#include <inttypes.h>

enum { REFUSED, NOT_SENT, UNKNOWN, TOO_LARGE };

/* How much of an answer's text an error shows. */
enum { SHOWN_MAX = 200 };

typedef struct {
  uint8_t tag;
  union {
    tg_response response;
    struct { uint8_t problem; union { tg_str message; uint64_t size; }; };
  };
} answer;

#if defined(__wasm32__)
_Static_assert(sizeof(answer) == 32, "canonical layout");
#endif

TG_IMPORT("http", "send")
void tg_raw_http_send(const char *endpoint, size_t endpoint_len, uint32_t method, const char *path, size_t path_len,
                      const tg_attr *headers, size_t n_headers, const uint8_t *body, size_t body_len, uint32_t some_timeout,
                      uint32_t timeout, answer *ret);

tg_error tg_http_send(const tg_request *r, tg_response *response) {
  answer ret;
  tg_raw_http_send(r->endpoint.ptr, r->endpoint.len, r->method, r->path.ptr, r->path.len, r->headers.ptr, r->headers.len, r->body.ptr,
                   r->body.len, r->timeout_ms.some, r->timeout_ms.value, &ret);
  if (ret.tag == 0) {
    *response = ret.response;
    return NULL;
  }
  int endpoint = (int)r->endpoint.len, path = (int)r->path.len;
  if (ret.problem == TOO_LARGE) {
    return tg_fatal("http", "request to %.*s%.*s: the answer of %" PRIu64 " bytes is larger than the host takes", endpoint,
                    r->endpoint.ptr, path, r->path.ptr, ret.size);
  }
  if (ret.problem == REFUSED) {
    return tg_fatal("http", "request to %.*s%.*s: %.*s", endpoint, r->endpoint.ptr, path, r->path.ptr, (int)ret.message.len,
                    ret.message.ptr);
  }
  return tg_retryable("request to %.*s%.*s: %.*s", endpoint, r->endpoint.ptr, path, r->path.ptr, (int)ret.message.len, ret.message.ptr);
}

tg_error tg_http_check(const tg_response *response) {
  uint16_t status = response->status;
  if (status >= 200 && status < 300) return NULL;
  int shown = (int)(response->body.len < SHOWN_MAX ? response->body.len : SHOWN_MAX);
  /* A cut must not split a character. */
  while (response->body.len > SHOWN_MAX && shown > 0 && (response->body.ptr[shown] & 0xc0) == 0x80) shown--;
  const char *body = (const char *)response->body.ptr;
  if (status >= 500 || status == 408 || status == 425 || status == 429) {
    return tg_retryable("the receiver answered %d: %.*s", status, shown, body);
  }
  return tg_fatal("http-status", "the receiver answered %d: %.*s", status, shown, body);
}
