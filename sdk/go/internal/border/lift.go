// Package border turns what the host hands over into the types of the SDK, and back.
package border

import (
	"tidegate"
	"tidegate/internal/abi"
	"tidegate/tgr1"
)

// Context of session.context.
func Context(raw *abi.RawContext) *tidegate.Context {
	ctx := &tidegate.Context{
		Changefeed: abi.String(raw.Changefeed), Slot: raw.Slot, Lane: raw.Lane, Lanes: raw.Lanes, Epoch: raw.Epoch,
		Config: abi.String(raw.Config), Checkpoint: tidegate.Position(raw.Checkpoint), Endpoints: abi.Strings(raw.Endpoints),
		TGRMinor: raw.TGRMinor, Attrs: Attrs(raw.Attrs),
	}
	if raw.State.Some != 0 {
		ctx.State = bytes(raw.State.V)
	}
	return ctx
}

// Attrs of types.attrs.
func Attrs(l abi.List) []tidegate.Attr {
	raw := abi.View[[2]abi.List](l)
	out := make([]tidegate.Attr, len(raw))
	for i, pair := range raw {
		out[i] = tidegate.Attr{Key: abi.String(pair[0]), Value: abi.String(pair[1])}
	}
	return out
}

// Table of types.table-schema.
func Table(raw *abi.RawTable) *tidegate.Table {
	t := &tidegate.Table{
		Ref: tidegate.TableRef(raw.Ref), Database: abi.String(raw.Database), Name: abi.String(raw.Name), RowKey: number(raw.RowKey),
		Charset: abi.String(raw.Charset), Collation: abi.String(raw.Collation), Attrs: Attrs(raw.Attrs),
	}
	for _, column := range abi.View[abi.RawColumn](raw.Columns) {
		t.Columns = append(t.Columns, liftColumn(&column))
	}
	for _, index := range abi.View[abi.RawIndex](raw.Indexes) {
		t.Indexes = append(t.Indexes, tidegate.Index{
			Name: abi.String(index.Name), Columns: abi.View[uint32](index.Columns), Unique: index.Unique != 0, Primary: index.Primary != 0,
		})
	}
	return t
}

func liftColumn(raw *abi.RawColumn) tidegate.Column {
	column := tidegate.Column{
		ID: raw.ID, Name: abi.String(raw.Name), Logical: tgr1.Logical(raw.Logical + 1), SourceType: abi.String(raw.SourceType),
		Props: tidegate.Props(raw.Props), Length: number(raw.Length), Decimals: number(raw.Decimals), Charset: abi.String(raw.Charset),
		Collation: abi.String(raw.Collation), Members: abi.Strings(raw.Members), Attrs: Attrs(raw.Attrs),
	}
	if raw.Default.Some != 0 {
		column.Default = bytes(raw.Default.V)
	}
	return column
}

// DDL of types.ddl-event.
func DDL(raw *abi.RawDDL) *tidegate.DDL {
	ddl := &tidegate.DDL{
		At: tidegate.Position(raw.At), Kind: tidegate.DDLKind(raw.Kind), Database: abi.String(raw.Database), Table: abi.String(raw.Table),
		Query: abi.String(raw.Query), MaybeDone: raw.MaybeDone != 0, Attrs: Attrs(raw.Attrs),
	}
	if raw.Before.Some != 0 {
		ddl.Before = Table(&raw.Before.V)
	}
	if raw.After.Some != 0 {
		ddl.After = Table(&raw.After.V)
	}
	return ddl
}

// Failure of types.failure.
func Failure(raw *abi.RawFailure) *tidegate.Failure {
	p := &raw.Payload
	first := abi.String(abi.List{Ptr: p[0], Len: p[1]})
	f := &tidegate.Failure{Kind: tidegate.Kind(raw.Tag), Attrs: Attrs(abi.List{Ptr: p[4], Len: p[5]})}
	if f.Kind >= tidegate.KindFatal {
		f.Code, f.Message = first, abi.String(abi.List{Ptr: p[2], Len: p[3]})
		return f
	}
	f.Message = first
	if uint8(p[2]) != 0 {
		f.AfterMS = p[3]
	}
	return f
}

// bytes is never nil: an option that is there stays there.
func bytes(l abi.List) []byte {
	if l.Len == 0 {
		return []byte{}
	}
	return abi.View[byte](l)
}

func number(o abi.Option[uint32]) int {
	if o.Some == 0 {
		return -1
	}
	return int(o.V)
}
