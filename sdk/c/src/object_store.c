/* The object-store capability. */
#include "tidegate/object_store.h"

typedef struct { bool some; tg_object value; } opt_object;
typedef struct { uint8_t tag; union { uint32_t handle; tg_opt_bytes bytes; tg_objects objects; tg_failure failure; }; } answer;
typedef struct {
  uint8_t tag;
  union { tg_object object; struct { uint8_t other; tg_failure failure; } put; tg_failure failure; };
} object_answer;
typedef struct { uint8_t tag; union { opt_object object; tg_failure failure; }; } head_answer;

#if defined(__wasm32__)
_Static_assert(sizeof(answer) == 32 && sizeof(object_answer) == 48 && sizeof(head_answer) == 56, "canonical layout");
#endif

TG_IMPORT("object-store", "[static]bucket.open") void tg_raw_bucket_open(const char *endpoint, size_t len, answer *ret);
TG_IMPORT("object-store", "[method]bucket.put")
void tg_raw_bucket_put(tg_bucket bucket, const char *path, size_t path_len, const uint8_t *data, size_t len, uint32_t mode,
                       const char *etag, size_t etag_len, object_answer *ret);
TG_IMPORT("object-store", "[method]bucket.get")
void tg_raw_bucket_get(tg_bucket bucket, const char *path, size_t len, uint64_t offset, uint64_t length, answer *ret);
TG_IMPORT("object-store", "[method]bucket.head")
void tg_raw_bucket_head(tg_bucket bucket, const char *path, size_t len, head_answer *ret);
TG_IMPORT("object-store", "[method]bucket.list")
void tg_raw_bucket_list(tg_bucket bucket, const char *prefix, size_t prefix_len, const char *after, size_t after_len, uint32_t limit,
                        answer *ret);
TG_IMPORT("object-store", "[method]bucket.delete") void tg_raw_bucket_delete(tg_bucket bucket, const char *path, size_t len, answer *ret);
TG_IMPORT("object-store", "[method]bucket.upload") void tg_raw_bucket_upload(tg_bucket bucket, const char *path, size_t len, answer *ret);
TG_IMPORT("object-store", "[method]upload.write") void tg_raw_upload_write(tg_upload upload, const uint8_t *data, size_t len, answer *ret);
TG_IMPORT("object-store", "[method]upload.finish") void tg_raw_upload_finish(tg_upload upload, object_answer *ret);
TG_IMPORT("object-store", "[method]upload.abort") void tg_raw_upload_abort(tg_upload upload);
TG_IMPORT("object-store", "[resource-drop]bucket") void tg_raw_bucket_drop(tg_bucket bucket);
TG_IMPORT("object-store", "[resource-drop]upload") void tg_raw_upload_drop(tg_upload upload);

static tg_error failed(const tg_failure *found) {
  tg_failure *failure = tg_alloc(sizeof *failure);
  *failure = *found;
  return failure;
}

static tg_error unit(const answer *ret) { return ret->tag == 0 ? NULL : failed(&ret->failure); }

tg_error tg_bucket_open(tg_str endpoint, tg_bucket *bucket) {
  answer ret;
  tg_raw_bucket_open(endpoint.ptr, endpoint.len, &ret);
  *bucket = ret.handle;
  return unit(&ret);
}

tg_error tg_bucket_put(tg_bucket bucket, tg_str path, tg_bytes data, tg_put_mode mode, tg_str etag, tg_object *object, bool *conflict) {
  object_answer ret;
  if (mode != TG_IF_MATCH) etag.len = 0;
  tg_raw_bucket_put(bucket, path.ptr, path.len, data.ptr, data.len, mode, etag.ptr, etag.len, &ret);
  *conflict = ret.tag != 0 && ret.put.other == 0;
  if (ret.tag == 0) *object = ret.object;
  return ret.tag == 0 || *conflict ? NULL : failed(&ret.put.failure);
}

tg_error tg_bucket_get(tg_bucket bucket, tg_str path, uint64_t offset, uint64_t length, tg_bytes *data, bool *found) {
  answer ret;
  tg_raw_bucket_get(bucket, path.ptr, path.len, offset, length, &ret);
  *found = ret.tag == 0 && ret.bytes.some;
  if (*found) *data = ret.bytes.value;
  return unit(&ret);
}

tg_error tg_bucket_head(tg_bucket bucket, tg_str path, tg_object *object, bool *found) {
  head_answer ret;
  tg_raw_bucket_head(bucket, path.ptr, path.len, &ret);
  *found = ret.tag == 0 && ret.object.some;
  if (*found) *object = ret.object.value;
  return ret.tag == 0 ? NULL : failed(&ret.failure);
}

tg_error tg_bucket_list(tg_bucket bucket, tg_str prefix, tg_str after, uint32_t limit, tg_objects *objects) {
  answer ret;
  tg_raw_bucket_list(bucket, prefix.ptr, prefix.len, after.ptr, after.len, limit, &ret);
  if (ret.tag == 0) *objects = ret.objects;
  return unit(&ret);
}

tg_error tg_bucket_delete(tg_bucket bucket, tg_str path) {
  answer ret;
  tg_raw_bucket_delete(bucket, path.ptr, path.len, &ret);
  return unit(&ret);
}

tg_error tg_bucket_upload(tg_bucket bucket, tg_str path, tg_upload *upload) {
  answer ret;
  tg_raw_bucket_upload(bucket, path.ptr, path.len, &ret);
  *upload = ret.handle;
  return unit(&ret);
}

tg_error tg_upload_write(tg_upload upload, tg_bytes data) {
  answer ret;
  tg_raw_upload_write(upload, data.ptr, data.len, &ret);
  return unit(&ret);
}

tg_error tg_upload_finish(tg_upload upload, tg_object *object) {
  object_answer ret;
  tg_raw_upload_finish(upload, &ret);
  tg_raw_upload_drop(upload);
  if (ret.tag != 0) return failed(&ret.failure);
  *object = ret.object;
  return NULL;
}

void tg_upload_abort(tg_upload upload) {
  tg_raw_upload_abort(upload);
  tg_raw_upload_drop(upload);
}

void tg_bucket_close(tg_bucket bucket) { tg_raw_bucket_drop(bucket); }
