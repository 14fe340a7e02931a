// Command probe calls every capability and logs what came of it, in the same words as the probes in other languages.
package main

import (
	"errors"
	"fmt"
	"time"

	"tidegate"
	"tidegate/clock"
	"tidegate/http"
	"tidegate/log"
	"tidegate/metrics"
	"tidegate/objectstore"
	"tidegate/producer"
	"tidegate/secret"
	"tidegate/sink"
	"tidegate/sql"
	"tidegate/state"
)

func init() { sink.Serve(tidegate.Manifest{Name: "probe", Version: "1.0.0"}, &probe{}) }

func main() {}

type probe struct{}

func say(name string, v any) { log.Info(name, "v", v) }

// fault shows a failure: kind, code, message, wait.
func fault(name string, err error) {
	if err == nil {
		say(name, "fine")
		return
	}
	f := tidegate.AsFailure(err)
	kinds := [...]string{"retryable", "unknown", "fenced", "fatal", "unsupported"}
	say(name, fmt.Sprintf("%s/%s/%s/%d", kinds[f.Kind], f.Code, f.Message, f.AfterMS))
}

func (*probe) Open(ctx *tidegate.Context) error {
	say("context", fmt.Sprintf("%s %d %d %d %d %d %s %d %d %d %x %v", ctx.Changefeed, ctx.Slot, ctx.Lane, ctx.Lanes, ctx.Epoch[0], ctx.Epoch[1],
		ctx.Config, ctx.Checkpoint.TS, ctx.Checkpoint.Stage, ctx.Checkpoint.Seq, ctx.State, ctx.Endpoints))
	metrics.NewCounter("rows").Add(7)
	metrics.NewGauge("level").Set(-0.5)
	return nil
}

func (*probe) OnSchema(table *tidegate.Table, targets []string) (sink.Plan, error) {
	c := &table.Columns[1]
	say("table", fmt.Sprintf("%s.%s %d %d %s %d %d %x %v %v", table.Database, table.Name, len(table.Columns), len(table.Indexes), c.Name, c.Logical,
		c.Props, c.Default, table.KeyColumns(), targets))
	return sink.Plan{Columns: []uint32{0, 2}, BatchRows: 5, BatchBytes: 6, Attrs: []tidegate.Attr{{Key: "a", Value: "ö"}}}, nil
}

func (*probe) Write(rows *tidegate.Rows) error {
	rows.Quarantine(1, "bad", "not good ö")
	data, err := rows.Read([]uint32{0, 2}, 1, 2)
	say("read", len(data))
	fault("read", err)
	_, err = rows.Read(nil, 2000, 1)
	fault("read", err)
	return nil
}

func (*probe) Buffered() uint64 { return 42 }

func (*probe) Status() (tidegate.Position, bool, error) {
	return tidegate.Position{TS: 1000, Stage: 2, Seq: 3}, true, nil
}

func (*probe) OnDDL(ddl *tidegate.DDL) error {
	say("ddl", fmt.Sprintf("%d %d %s %s %s %t %t %t", ddl.At.TS, ddl.Kind, ddl.Database, ddl.Table, ddl.Query, ddl.Before == nil, ddl.After != nil,
		ddl.MaybeDone))
	return tidegate.Retryable(errors.New("later ö")).After(1500 * time.Millisecond)
}

func (*probe) OnTick() error { panic("asked to ö") }

func (*probe) OnCheckpoint(at tidegate.Position) error {
	return tidegate.Unsupported("old", errors.New("not in this build ö"))
}

func (*probe) Flush(barrier *sink.Barrier) error {
	small()
	database()
	queue()
	store()
	web()
	barrier.Incomplete = true
	barrier.State = []byte{1, 2}
	return nil
}

func small() {
	value, err := secret.Get("granted")
	say("secret", value)
	fault("secret", err)
	_, err = secret.Get("other")
	fault("secret", err)
	fault("state", state.Set("k", []byte{0, 255}))
	kept, ok := state.Get("k")
	say("state", fmt.Sprintf("%x %t %v", kept, ok, state.Keys("", 10)))
	state.Delete("k")
	_, ok = state.Get("k")
	say("state", fmt.Sprintf("%t %d", ok, len(state.Keys("", 10))))
	fault("state", state.Set("large", make([]byte, 65537)))
	say("clock", clock.Now().UnixMilli())
}

func sqlFault(err error) {
	if kind, ok := sql.KindOf(err); ok {
		say("sql", kind)
	}
	fault("sql", err)
}

func database() {
	_, err := sql.Open("nope")
	sqlFault(err)
	conn, err := sql.Open("db")
	fault("sql", err)
	say("sql", fmt.Sprintf("%d %s %d", conn.Dialect(), conn.ServerVersion(), conn.MaxStatementBytes()))
	var statements sql.Statements
	statements.Add("insert ö")
	statements.Add("x")
	done, err := conn.Transact(&statements)
	say("sql", fmt.Sprintf("%d %d", done.Affected, done.Warnings))
	fault("sql", err)
	for _, kind := range []string{"fine", "retryable", "unknown", "fenced", "duplicate", "refused", "denied"} {
		_, err = conn.Execute("do ö " + kind)
		sqlFault(err)
	}
	set, err := conn.Query("select ö", 9)
	fault("sql", err)
	for _, v := range set.Rows[0] {
		if b, ok := v.([]byte); ok {
			v = fmt.Sprintf("%x", b)
		}
		if v == nil {
			v = "null"
		}
		say("sql", v)
	}
	say("sql", fmt.Sprintf("%v %d", set.Columns, len(set.Rows[1])))
}

func queue() {
	for _, endpoint := range []string{"a-retryable", "a-unknown", "a-fenced", "a-fatal", "a-unsupported"} {
		_, err := producer.Open(endpoint)
		fault("producer", err)
	}
	p, err := producer.Open("kafka")
	fault("producer", err)
	n, err := p.Partitions("tö")
	say("producer", n)
	fault("producer", err)
	n, err = p.MaxMessageBytes("t")
	say("producer", n)
	fault("producer", err)
	_, err = p.Partitions("t-fatal")
	fault("producer", err)
	m := producer.Messages{
		Topics: []string{"a", "bö"}, TopicOf: []uint16{0, 1}, Partitions: []uint32{3, 4}, Headers: []producer.Header{{Name: "hö", Value: []byte{0, 1}}},
	}
	m.Keys.Add([]byte("k1"))
	m.Keys.Add([]byte("k2"))
	m.Values.Add([]byte("v1"))
	m.Values.Add([]byte("vö2"))
	fault("producer", p.Send(&m))
	fault("producer", p.Flush())
	p.Close()
}

func meta(m objectstore.Meta) string {
	return fmt.Sprintf("%s %d %q %d", m.Path, m.Size, m.ETag, m.ModifiedMS)
}

func store() {
	b, err := objectstore.Open("bucket")
	fault("store", err)
	m, err := b.Put("pö", []byte{1, 2}, objectstore.Overwrite())
	say("store", meta(m))
	fault("store", err)
	m, err = b.Put("p-bare", nil, objectstore.Create())
	say("store", meta(m))
	fault("store", err)
	_, err = b.Put("p-conflict", nil, objectstore.IfMatch("tag ö"))
	say("store", errors.Is(err, objectstore.ErrConflict))
	_, err = b.Put("p-fatal", nil, objectstore.Overwrite())
	fault("store", err)
	data, ok, err := b.Get("g", 1, 2)
	say("store", fmt.Sprintf("%x %t", data, ok))
	fault("store", err)
	_, ok, _ = b.Get("g-none", 0, 0)
	say("store", ok)
	m, ok, err = b.Head("h")
	say("store", fmt.Sprintf("%s %t", meta(m), ok))
	fault("store", err)
	_, ok, _ = b.Head("h-none")
	say("store", ok)
	_, _, err = b.Head("h-unknown")
	fault("store", err)
	list, err := b.List("pre", "aft", 5)
	say("store", fmt.Sprintf("%s; %s", meta(list[0]), meta(list[1])))
	fault("store", err)
	fault("store", b.Delete("d"))
	fault("store", b.Delete("d-retryable"))
	u, err := b.Upload("u")
	fault("store", err)
	fault("store", u.WritePart([]byte{1, 2, 3}))
	m, err = u.Finish()
	say("store", meta(m))
	fault("store", err)
	u, _ = b.Upload("u2")
	u.Abort()
	b.Close()
}

func web() {
	r, err := http.Send(&http.Request{
		Endpoint: "downstream", Method: http.Patch, Path: "/status/200", Headers: []http.Header{{Name: "x", Value: "ö"}}, Body: []byte("bö"), TimeoutMS: 9,
	})
	fault("http", err)
	say("http", fmt.Sprintf("%d %s %s %s", r.Status, r.Headers[0].Name, r.Headers[0].Value, r.Body))
	for _, path := range []string{"/refused", "/not-sent", "/unknown", "/too-large"} {
		_, err = http.Send(&http.Request{Endpoint: "downstream", Method: http.Get, Path: path})
		fault("http", err)
	}
	for _, path := range []string{"/status/404", "/status/429", "/status/503"} {
		r, _ = http.Send(&http.Request{Endpoint: "downstream", Method: http.Get, Path: path})
		fault("http", r.Check())
	}
}
