package main

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// upload is an object in the making. It is gone when the emulator ends.
type upload struct {
	headers http.Header
	parts   map[int][]byte
}

func tag(part []byte) string {
	sum := md5.Sum(part)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func (api *xmlAPI) begin(w http.ResponseWriter, bucket, object string, headers http.Header) {
	id := rand.Text()
	api.mutex.Lock()
	api.uploads[id] = &upload{headers: headers.Clone(), parts: map[int][]byte{}}
	api.mutex.Unlock()
	w.Header().Set("Content-Type", "application/xml")
	xml.NewEncoder(w).Encode(struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket   string
		Key      string
		UploadId string
	}{Bucket: bucket, Key: object, UploadId: id})
}

// goOn does what is asked of an upload that has begun.
func (api *xmlAPI) goOn(w http.ResponseWriter, r *http.Request, bucket, object string, query url.Values) {
	id := query.Get("uploadId")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, http.StatusBadRequest, "IncompleteBody", err.Error())
		return
	}
	api.mutex.Lock()
	defer api.mutex.Unlock()
	begun := api.uploads[id]
	if begun == nil {
		fail(w, http.StatusNotFound, "NoSuchUpload", "The requested upload was not found.")
		return
	}
	switch r.Method {
	case http.MethodPut:
		number, err := strconv.Atoi(query.Get("partNumber"))
		if err != nil {
			fail(w, http.StatusBadRequest, "InvalidArgument", err.Error())
			return
		}
		begun.parts[number] = body
		w.Header().Set("ETag", tag(body))
	case http.MethodDelete:
		delete(api.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPost:
		content, err := begun.joined(body)
		if err != nil {
			fail(w, http.StatusBadRequest, "InvalidPart", err.Error())
			return
		}
		told, ok := api.insert(w, bucket, object, bytes.NewReader(content), begun.headers)
		if !ok {
			return
		}
		delete(api.uploads, id)
		w.Header().Set("Content-Type", "application/xml")
		xml.NewEncoder(w).Encode(struct {
			XMLName xml.Name `xml:"CompleteMultipartUploadResult"`
			Bucket  string
			Key     string
			ETag    string
		}{Bucket: bucket, Key: object, ETag: told.Etag})
	default:
		fail(w, http.StatusMethodNotAllowed, "MethodNotAllowed", r.Method)
	}
}

// joined puts the parts together that a list names, in its order; each has to be the one that the list means.
func (begun *upload) joined(list []byte) ([]byte, error) {
	var wanted struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := xml.Unmarshal(list, &wanted); err != nil {
		return nil, err
	}
	var content []byte
	for _, named := range wanted.Part {
		part, ok := begun.parts[named.PartNumber]
		if !ok || tag(part) != named.ETag {
			return nil, fmt.Errorf("part %d is not the one that was put", named.PartNumber)
		}
		content = append(content, part...)
	}
	return content, nil
}
