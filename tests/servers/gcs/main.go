// An emulator of Google Cloud Storage on 127.0.0.1: gcs PORT FOLDER BUCKET. Objects lie below FOLDER.
//
// The storage, its generations and conditions, the JSON API and the XML API's reads are fake-gcs-server's. It lacks the half of the
// XML API that writes: plain uploads, uploads in parts, and the XML of errors. That half is here, on top of its JSON API.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: gcs PORT FOLDER BUCKET")
	}
	host := "127.0.0.1:" + os.Args[1]
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		NoListener:  true,
		StorageRoot: os.Args[2],
		PublicHost:  host,
		ExternalURL: "http://" + host,
	})
	if err != nil {
		log.Fatal(err)
	}
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: os.Args[3]})
	log.Fatal(http.ListenAndServe(host, &xmlAPI{inner: server.HTTPHandler(), host: host, uploads: map[string]*upload{}}))
}
