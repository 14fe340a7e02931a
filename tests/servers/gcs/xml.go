package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
)

// xmlAPI answers what the emulator does not, and passes the rest on to it.
type xmlAPI struct {
	inner http.Handler
	host  string

	mutex   sync.Mutex
	uploads map[string]*upload
}

// place splits `/bucket/object`. Not every path is one: the emulator has its own below `/storage/` and `/upload/`.
func place(u *url.URL) (bucket, object string, ok bool) {
	bucket, object, _ = strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	object, err := url.PathUnescape(object)
	return bucket, object, err == nil && bucket != "" && bucket != "storage" && bucket != "upload" && bucket != "_internal"
}

func (api *xmlAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, object, ok := place(r.URL)
	query := r.URL.Query()
	switch {
	case !ok:
		api.inner.ServeHTTP(w, r)
	case !api.has(bucket):
		fail(w, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist.")
	case object == "":
		api.inner.ServeHTTP(w, r)
	case r.Method == http.MethodPost && query.Has("uploads"):
		api.begin(w, bucket, object, r.Header)
	case query.Has("uploadId"):
		api.goOn(w, r, bucket, object, query)
	case r.Method == http.MethodPut:
		api.insert(w, bucket, object, r.Body, r.Header)
	default:
		api.inner.ServeHTTP(w, r)
	}
}

func (api *xmlAPI) ask(method, path, contentType string, body io.Reader) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, "http://"+api.host+path, body)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer := httptest.NewRecorder()
	api.inner.ServeHTTP(answer, request)
	return answer
}

func (api *xmlAPI) has(bucket string) bool {
	return api.ask(http.MethodGet, "/storage/v1/b/"+url.PathEscape(bucket), "", nil).Code == http.StatusOK
}

// made is what the JSON API tells of an object.
type made struct {
	Generation string
	Etag       string
}

// insert makes an object, under the condition that the headers name, and answers as the XML API does.
func (api *xmlAPI) insert(w http.ResponseWriter, bucket, object string, content io.Reader, headers http.Header) (made, bool) {
	var told made
	body := &bytes.Buffer{}
	parts := multipart.NewWriter(body)
	meta, _ := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/json"}})
	class := headers.Get("x-goog-storage-class")
	json.NewEncoder(meta).Encode(map[string]string{"name": object, "storageClass": class})
	data, _ := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/octet-stream"}})
	if _, err := io.Copy(data, content); err != nil {
		fail(w, http.StatusBadRequest, "IncompleteBody", err.Error())
		return told, false
	}
	parts.Close()
	query := url.Values{"uploadType": {"multipart"}, "name": {object}, "predefinedAcl": {word(headers.Get("x-goog-acl"))}}
	if match := headers.Get("x-goog-if-generation-match"); match != "" {
		query.Set("ifGenerationMatch", match)
	}
	path := fmt.Sprintf("/upload/storage/v1/b/%s/o?%s", url.PathEscape(bucket), query.Encode())
	answer := api.ask(http.MethodPost, path, "multipart/related; boundary="+parts.Boundary(), body)
	switch answer.Code {
	case http.StatusOK:
	case http.StatusPreconditionFailed:
		fail(w, answer.Code, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
		return told, false
	default:
		fail(w, answer.Code, "InternalError", answer.Body.String())
		return told, false
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &told); err != nil {
		fail(w, http.StatusInternalServerError, "InternalError", err.Error())
		return told, false
	}
	w.Header().Set("ETag", fmt.Sprintf("%q", told.Etag))
	w.Header().Set("x-goog-generation", told.Generation)
	return told, true
}

// word spells `public-read` as the JSON API does: `publicRead`.
func word(acl string) string {
	first, rest, _ := strings.Cut(acl, "-")
	for _, part := range strings.Split(rest, "-") {
		if part != "" {
			first += strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return first
}

type failure struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	xml.NewEncoder(w).Encode(failure{Code: code, Message: message})
}
