package objectstore

import (
	"unsafe"

	"tidegate/internal/abi"
	"tidegate/internal/border"
)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [static]bucket.open
func openRaw(endpoint string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [method]bucket.put
func putRaw(bucket uint32, path string, data unsafe.Pointer, size, mode uint32, etag string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [method]bucket.get
func getRaw(bucket uint32, path string, offset, length uint64, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [method]bucket.head
func headRaw(bucket uint32, path string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [method]bucket.list
func listRaw(bucket uint32, prefix, after string, limit uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [method]bucket.delete
func deleteRaw(bucket uint32, path string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [method]bucket.upload
func uploadRaw(bucket uint32, path string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [method]upload.write
func uploadWriteRaw(upload uint32, data unsafe.Pointer, size uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [method]upload.finish
func uploadFinishRaw(upload uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [method]upload.abort
func uploadAbort(upload uint32)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [resource-drop]bucket
func closeBucket(bucket uint32)

//go:wasmimport tidegate:plugin/object-store@1.0.0 [resource-drop]upload
func closeUpload(upload uint32)

type rawMeta struct {
	path       abi.List
	size       uint64
	etag       abi.Option[abi.List]
	modifiedMS uint64
}

func (m *rawMeta) lift() Meta {
	meta := Meta{Path: abi.String(m.path), Size: m.size, ModifiedMS: m.modifiedMS}
	if m.etag.Some != 0 {
		meta.ETag = abi.String(m.etag.V)
	}
	return meta
}

// unit4 and unit8 read the failure of a result.
func unit4() error {
	if abi.ResultTag() == 0 {
		return nil
	}
	return border.Failure(abi.Result4[abi.RawFailure]())
}

func unit8() error {
	if abi.ResultTag() == 0 {
		return nil
	}
	return border.Failure(abi.Result8[abi.RawFailure]())
}

func handle4() (uint32, error) {
	defer abi.Taken()
	if err := unit4(); err != nil {
		return 0, err
	}
	return *abi.Result4[uint32](), nil
}

func open(endpoint string) (uint32, error) {
	openRaw(endpoint, abi.Area())
	return handle4()
}

// putError is conflict, or another failure.
type putError struct {
	tag     uint8
	failure abi.RawFailure
}

func put(bucket uint32, path string, data []byte, mode Mode) (Meta, error) {
	putRaw(bucket, path, unsafe.Pointer(unsafe.SliceData(data)), uint32(len(data)), mode.tag, mode.etag, abi.Area())
	defer abi.Taken()
	if abi.ResultTag() == 0 {
		return abi.Result8[rawMeta]().lift(), nil
	}
	raw := abi.Result8[putError]()
	if raw.tag == 0 {
		return Meta{}, ErrConflict
	}
	return Meta{}, border.Failure(&raw.failure)
}

func get(bucket uint32, path string, offset, length uint64) ([]byte, bool, error) {
	getRaw(bucket, path, offset, length, abi.Area())
	defer abi.Taken()
	if err := unit4(); err != nil {
		return nil, false, err
	}
	found := abi.Result4[abi.Option[abi.List]]()
	return abi.View[byte](found.V), found.Some != 0, nil
}

func head(bucket uint32, path string) (Meta, bool, error) {
	headRaw(bucket, path, abi.Area())
	defer abi.Taken()
	if err := unit8(); err != nil {
		return Meta{}, false, err
	}
	found := abi.Result8[abi.Option[rawMeta]]()
	if found.Some == 0 {
		return Meta{}, false, nil
	}
	return found.V.lift(), true, nil
}

func list(bucket uint32, prefix, after string, limit uint32) ([]Meta, error) {
	listRaw(bucket, prefix, after, limit, abi.Area())
	defer abi.Taken()
	if err := unit4(); err != nil {
		return nil, err
	}
	raw := abi.View[rawMeta](*abi.Result4[abi.List]())
	metas := make([]Meta, len(raw))
	for i := range raw {
		metas[i] = raw[i].lift()
	}
	return metas, nil
}

func remove(bucket uint32, path string) error {
	deleteRaw(bucket, path, abi.Area())
	defer abi.Taken()
	return unit4()
}

func upload(bucket uint32, path string) (uint32, error) {
	uploadRaw(bucket, path, abi.Area())
	return handle4()
}

func uploadWrite(upload uint32, data []byte) error {
	uploadWriteRaw(upload, unsafe.Pointer(unsafe.SliceData(data)), uint32(len(data)), abi.Area())
	defer abi.Taken()
	return unit4()
}

func uploadFinish(upload uint32) (Meta, error) {
	uploadFinishRaw(upload, abi.Area())
	defer abi.Taken()
	if err := unit8(); err != nil {
		return Meta{}, err
	}
	return abi.Result8[rawMeta]().lift(), nil
}
