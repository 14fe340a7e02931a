// Command {{name}} sends each changed row as one line of JSON to an HTTP endpoint.
package main

import (
	"tidegate"
	"tidegate/http"
	"tidegate/sink"
)

func init() {
	sink.Serve(tidegate.Manifest{
		Name: "{{name}}", Version: "0.1.0",
		ConfigSchema: `{
			"type": "object",
			"properties": {"path": {"type": "string"}, "endpoint": {"type": "string"}},
			"additionalProperties": false
		}`,
		Capabilities: []tidegate.Capability{{Name: "http", Required: true, Reason: "rows are sent there"}},
	}, &plugin{})
}

func main() {}

type plugin struct {
	// What the changefeed's file may say; the host checks it against the schema above.
	config struct {
		Path     string `json:"path"`
		Endpoint string `json:"endpoint"`
	}
	// Lines since the last flush.
	lines []byte
}

func (p *plugin) Open(ctx *tidegate.Context) error {
	p.config.Path = "/rows"
	// Without a name in the configuration: the first endpoint that is granted.
	if len(ctx.Endpoints) > 0 {
		p.config.Endpoint = ctx.Endpoints[0]
	}
	return ctx.DecodeConfig(&p.config)
}

func (p *plugin) Write(rows *tidegate.Rows) error {
	// A batch that fails comes again as a whole, so none of it may stay.
	lines := p.lines
	for _, row := range rows.All() {
		lines = append(lines, `{"table":`...)
		lines = tidegate.AppendJSONString(lines, rows.Table.Database+"."+rows.Table.Name)
		lines = append(append(lines, `,"op":"`...), row.Op().String()...)
		lines = append(lines, `","row":`...)
		if record, ok := row.Current(); ok {
			var err error
			if lines, err = record.AppendJSON(lines); err != nil {
				return err
			}
		}
		lines = append(lines, "}\n"...)
	}
	p.lines = lines
	return nil
}

// Flush answers when everything that was written is durable; nothing else moves the changefeed's checkpoint.
func (p *plugin) Flush(*sink.Barrier) error {
	if len(p.lines) == 0 {
		return nil
	}
	response, err := http.Send(&http.Request{
		Endpoint: p.config.Endpoint, Method: http.Post, Path: p.config.Path, Body: p.lines,
		Headers: []http.Header{{Name: "content-type", Value: "application/x-ndjson"}},
	})
	if err != nil {
		return err
	}
	if err := response.Check(); err != nil {
		return err
	}
	p.lines = p.lines[:0]
	return nil
}

// Buffered lets the host flush early.
func (p *plugin) Buffered() uint64 { return uint64(len(p.lines)) }
