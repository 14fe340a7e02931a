// Command jsonlines is a Tidegate sink that posts rows as lines of JSON to an HTTP receiver.
package main

import (
	"fmt"
	"strconv"

	"tidegate"
	"tidegate/http"
	"tidegate/sink"
)

const schema = `{
  "type": "object",
  "properties": {
    "endpoint": {"type": "string", "description": "name of a granted HTTP endpoint"},
    "path": {"type": "string", "description": "where to post to"},
    "batch-bytes": {"type": "integer", "minimum": 1, "description": "post when this much is held"}
  },
  "additionalProperties": false
}`

func init() {
	sink.Serve(tidegate.Manifest{
		Name: "jsonlines-go", Version: "1.0.0", ConfigSchema: schema,
		Capabilities: []tidegate.Capability{{Name: "http", Required: true, Reason: "posts the rows"}},
	}, &lines{})
}

func main() {}

// lines holds what was not posted yet.
type lines struct {
	config struct {
		Endpoint   string `json:"endpoint"`
		Path       string `json:"path"`
		BatchBytes int    `json:"batch-bytes"`
	}
	held []byte
	// handed is how much of held the current batch of rows found there: a batch that fails as a whole comes again.
	handed int
}

func (l *lines) Open(ctx *tidegate.Context) error {
	l.config.Endpoint, l.config.Path, l.config.BatchBytes = "downstream", "/", 256<<10
	return ctx.DecodeConfig(&l.config)
}

func (l *lines) Write(rows *tidegate.Rows) error {
	l.handed = len(l.held)
	for _, row := range rows.All() {
		if err := l.add(rows.Table, row); err != nil {
			l.held = l.held[:l.handed]
			return err
		}
	}
	if len(l.held) < l.config.BatchBytes {
		return nil
	}
	if err := l.post(); err != nil {
		l.held = l.held[:l.handed]
		return err
	}
	return nil
}

func (l *lines) add(table *tidegate.Table, row tidegate.Row) (err error) {
	out := append(l.held, `{"table":`...)
	out = tidegate.AppendJSONString(out, table.Database+"."+table.Name)
	out = append(append(out, `,"op":"`...), row.Op().String()...)
	out = append(strconv.AppendUint(append(out, `","commit_ts":"`...), row.CommitTS(), 10), '"')
	if after, ok := row.After(); ok {
		if out, err = after.AppendJSON(append(out, `,"data":`...)); err != nil {
			return err
		}
	}
	if before, ok := row.Before(); ok {
		if out, err = before.AppendJSON(append(out, `,"old":`...)); err != nil {
			return err
		}
	}
	l.held = append(out, '}', '\n')
	return nil
}

func (l *lines) Flush(*sink.Barrier) error {
	if len(l.held) == 0 {
		return nil
	}
	return l.post()
}

func (l *lines) Buffered() uint64 { return uint64(len(l.held)) }

func (l *lines) post() error {
	response, err := http.Send(&http.Request{
		Endpoint: l.config.Endpoint, Method: http.Post, Path: l.config.Path, Body: l.held,
		Headers: []http.Header{{Name: "Content-Type", Value: "application/x-ndjson"}},
	})
	if err != nil {
		return err
	}
	if err := response.Check(); err != nil {
		return fmt.Errorf("posting %d bytes: %w", len(l.held), err)
	}
	l.held = l.held[:0]
	return nil
}
