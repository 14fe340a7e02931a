// Package objectstore reads and writes object stores: S3 and its like, GCS, Azure, a folder.
package objectstore

import "errors"

// ErrConflict says that a conditional put found another object, or none.
var ErrConflict = errors.New("the object is not as the condition says")

// Meta describes an object.
type Meta struct {
	Path string
	Size uint64
	// ETag is empty where the store has none.
	ETag       string
	ModifiedMS uint64
}

// Mode of a put.
type Mode struct {
	tag  uint32
	etag string
}

// Overwrite puts whatever is there.
func Overwrite() Mode { return Mode{} }

// Create puts only where nothing is.
func Create() Mode { return Mode{tag: 1} }

// IfMatch puts only over the object with this ETag.
func IfMatch(etag string) Mode { return Mode{2, etag} }

// Bucket is an endpoint the host keeps. Its errors are failures, ready to be returned, or ErrConflict.
type Bucket struct{ handle uint32 }

// Open opens an endpoint, one of the context's. Paths are relative to the endpoint's prefix.
func Open(endpoint string) (*Bucket, error) {
	handle, err := open(endpoint)
	if err != nil {
		return nil, err
	}
	return &Bucket{handle}, nil
}

// Put writes an object.
func (b *Bucket) Put(path string, data []byte, mode Mode) (Meta, error) {
	return put(b.handle, path, data, mode)
}

// Get reads an object from offset on; length 0: to the end. False: no such object.
func (b *Bucket) Get(path string, offset, length uint64) ([]byte, bool, error) {
	return get(b.handle, path, offset, length)
}

// Head describes an object. False: no such object.
func (b *Bucket) Head(path string) (Meta, bool, error) { return head(b.handle, path) }

// List describes objects in order of path, those after `after`, at most limit.
func (b *Bucket) List(prefix, after string, limit uint32) ([]Meta, error) {
	return list(b.handle, prefix, after, limit)
}

// Delete removes an object. No object is no error.
func (b *Bucket) Delete(path string) error { return remove(b.handle, path) }

// Upload starts an object written in parts, which appears whole when it is finished.
func (b *Bucket) Upload(path string) (*Upload, error) {
	handle, err := upload(b.handle, path)
	if err != nil {
		return nil, err
	}
	return &Upload{handle}, nil
}

// Close gives the endpoint back.
func (b *Bucket) Close() { closeBucket(b.handle) }

// Upload is an object in the making.
type Upload struct{ handle uint32 }

// WritePart adds bytes. Parts go out while the guest makes the next one.
func (u *Upload) WritePart(data []byte) error { return uploadWrite(u.handle, data) }

// Finish makes the object appear.
func (u *Upload) Finish() (Meta, error) {
	defer closeUpload(u.handle)
	return uploadFinish(u.handle)
}

// Abort gives the object up.
func (u *Upload) Abort() {
	uploadAbort(u.handle)
	closeUpload(u.handle)
}
