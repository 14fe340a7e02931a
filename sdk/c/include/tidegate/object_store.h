/* Object stores: S3 and its like, GCS, Azure, a folder. */
#ifndef TIDEGATE_OBJECT_STORE_H
#define TIDEGATE_OBJECT_STORE_H

#include "plugin.h"

typedef uint32_t tg_bucket;
typedef uint32_t tg_upload;

typedef struct {
  tg_str path;
  uint64_t size;
  tg_opt_str etag;
  uint64_t modified_ms;
} tg_object;
typedef struct { const tg_object *ptr; size_t len; } tg_objects;

typedef enum { TG_OVERWRITE, TG_CREATE, TG_IF_MATCH } tg_put_mode;

/* `endpoint` is one of the context's. Paths are relative to the endpoint's prefix. */
tg_error tg_bucket_open(tg_str endpoint, tg_bucket *bucket);
/* Writes an object: with TG_CREATE only where nothing is, with TG_IF_MATCH only over the version `etag`. *conflict says when that was
 * not so; then nothing was written and there is no failure. */
tg_error tg_bucket_put(tg_bucket bucket, tg_str path, tg_bytes data, tg_put_mode mode, tg_str etag, tg_object *object, bool *conflict);
/* Reads an object; length 0: to the end. */
tg_error tg_bucket_get(tg_bucket bucket, tg_str path, uint64_t offset, uint64_t length, tg_bytes *data, bool *found);
tg_error tg_bucket_head(tg_bucket bucket, tg_str path, tg_object *object, bool *found);
/* In order of path, those after `after`, at most `limit`. */
tg_error tg_bucket_list(tg_bucket bucket, tg_str prefix, tg_str after, uint32_t limit, tg_objects *objects);
/* No object is no error. */
tg_error tg_bucket_delete(tg_bucket bucket, tg_str path);
/* An object written in parts, which appears whole when it is finished. Finish or abort ends the upload. */
tg_error tg_bucket_upload(tg_bucket bucket, tg_str path, tg_upload *upload);
tg_error tg_upload_write(tg_upload upload, tg_bytes data);
tg_error tg_upload_finish(tg_upload upload, tg_object *object);
void tg_upload_abort(tg_upload upload);
void tg_bucket_close(tg_bucket bucket);

#endif
