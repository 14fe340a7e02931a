/* HTTP to origins the operator granted by name. The host adds what the grant says (authorisation headers) and follows no redirect. */
#ifndef TIDEGATE_HTTP_H
#define TIDEGATE_HTTP_H

#include "plugin.h"

typedef enum { TG_GET, TG_HEAD, TG_POST, TG_PUT, TG_PATCH, TG_DELETE } tg_http_method;

typedef struct {
  tg_str endpoint; /* one of the context's endpoints: names the origin */
  tg_http_method method;
  tg_str path; /* path and query, with a leading slash; joined to the endpoint's own path */
  tg_attrs headers;
  tg_bytes body;
  tg_opt_u32 timeout_ms; /* none: the endpoint's own, which is also the most */
} tg_request;

typedef struct {
  uint16_t status;
  tg_attrs headers;
  tg_bytes body;
} tg_response;

/* Sends a request. No connection, and no answer, are retryable: a receiver that must not see a request twice tells by an idempotency
 * key. What the host refuses, and answers it will not take, are fatal. */
tg_error tg_http_send(const tg_request *request, tg_response *response);
/* Turns the status of an answer into a failure: 2xx is none, 408, 425, 429 and 5xx are retryable, others fatal. */
tg_error tg_http_check(const tg_response *response);

#endif
