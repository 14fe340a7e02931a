package border

import (
	"tidegate"
	"tidegate/internal/abi"
)

// LowerAttrs lends attrs.
func LowerAttrs(attrs []tidegate.Attr) abi.List {
	raw := make([][2]abi.List, len(attrs))
	for i, a := range attrs {
		raw[i] = [2]abi.List{abi.LendString(a.Key), abi.LendString(a.Value)}
	}
	return abi.Lend(raw)
}

// LowerFailure lends the failure an error stands for.
func LowerFailure(err error) abi.RawFailure {
	f := tidegate.AsFailure(err)
	message, attrs := abi.LendString(f.Message), LowerAttrs(f.Attrs)
	raw := abi.RawFailure{Tag: uint8(f.Kind)}
	if f.Kind >= tidegate.KindFatal {
		code := abi.LendString(f.Code)
		raw.Payload = [6]uint32{code.Ptr, code.Len, message.Ptr, message.Len, attrs.Ptr, attrs.Len}
		return raw
	}
	var some uint32
	if f.AfterMS != 0 {
		some = 1
	}
	raw.Payload = [6]uint32{message.Ptr, message.Len, some, f.AfterMS, attrs.Ptr, attrs.Len}
	return raw
}

// LowerBad lends rows that were set aside.
func LowerBad(rows []tidegate.BadRow) abi.List {
	raw := make([]abi.RawBadEvent, len(rows))
	for i, row := range rows {
		raw[i] = abi.RawBadEvent{Row: uint32(row.Row), Code: abi.LendString(row.Code), Message: abi.LendString(row.Message)}
	}
	return abi.Lend(raw)
}

// LowerColumns lends the columns of a plan: nil asks for all of them.
func LowerColumns(columns []uint32) abi.Option[abi.List] {
	if columns == nil {
		return abi.Option[abi.List]{}
	}
	return abi.Some(abi.Lend(columns))
}

// LowerBytes lends bytes that may be missing (nil).
func LowerBytes(data []byte) abi.Option[abi.List] {
	if data == nil {
		return abi.Option[abi.List]{}
	}
	return abi.Some(abi.Lend(data))
}

// LowerNumber is an option of a number: missing below 0.
func LowerNumber(n int) abi.Option[uint32] {
	if n < 0 {
		return abi.Option[uint32]{}
	}
	return abi.Some(uint32(n))
}

// LowerTable lends a table.
func LowerTable(t *tidegate.Table) abi.RawTable {
	columns := make([]abi.RawColumn, len(t.Columns))
	for i := range t.Columns {
		columns[i] = lowerColumn(&t.Columns[i])
	}
	indexes := make([]abi.RawIndex, len(t.Indexes))
	for i, index := range t.Indexes {
		indexes[i] = abi.RawIndex{
			Name: abi.LendString(index.Name), Columns: abi.Lend(index.Columns), Unique: flag(index.Unique), Primary: flag(index.Primary),
		}
	}
	return abi.RawTable{
		Ref: abi.RawTableRef(t.Ref), Database: abi.LendString(t.Database), Name: abi.LendString(t.Name), Columns: abi.Lend(columns),
		Indexes: abi.Lend(indexes), RowKey: LowerNumber(t.RowKey), Charset: abi.LendString(t.Charset),
		Collation: abi.LendString(t.Collation), Attrs: LowerAttrs(t.Attrs),
	}
}

func lowerColumn(c *tidegate.Column) abi.RawColumn {
	return abi.RawColumn{
		ID: c.ID, Name: abi.LendString(c.Name), Logical: uint8(c.Logical) - 1, SourceType: abi.LendString(c.SourceType),
		Props: uint8(c.Props), Length: LowerNumber(c.Length), Decimals: LowerNumber(c.Decimals), Charset: abi.LendString(c.Charset),
		Collation: abi.LendString(c.Collation), Members: abi.LendStrings(c.Members), Default: LowerBytes(c.Default),
		Attrs: LowerAttrs(c.Attrs),
	}
}

// LowerDDL lends a DDL.
func LowerDDL(d *tidegate.DDL) abi.RawDDL {
	raw := abi.RawDDL{
		At: abi.RawPosition(d.At), Kind: uint8(d.Kind), Database: abi.LendString(d.Database), Table: abi.LendString(d.Table),
		Query: abi.LendString(d.Query), MaybeDone: flag(d.MaybeDone), Attrs: LowerAttrs(d.Attrs),
	}
	if d.Before != nil {
		raw.Before = abi.Some(LowerTable(d.Before))
	}
	if d.After != nil {
		raw.After = abi.Some(LowerTable(d.After))
	}
	return raw
}

// LowerManifest lends a manifest.
func LowerManifest(m *tidegate.Manifest) abi.RawManifest {
	capabilities := make([]abi.RawCapability, len(m.Capabilities))
	for i, c := range m.Capabilities {
		capabilities[i] = abi.RawCapability{Name: abi.LendString(c.Name), Required: flag(c.Required), Reason: abi.LendString(c.Reason)}
	}
	return abi.RawManifest{
		Name: abi.LendString(m.Name), Version: abi.LendString(m.Version), ConfigSchema: abi.LendString(m.ConfigSchema),
		Capabilities: abi.Lend(capabilities), Attrs: LowerAttrs(m.Attrs),
	}
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
