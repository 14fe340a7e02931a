package tidegate

import "tidegate/tgr1"

// TableRef names one immutable version of one table's schema.
type TableRef struct{ Table, Version uint64 }

// Props are properties of a column.
type Props uint8

// The properties.
const (
	Nullable Props = 1 << iota
	PrimaryKey
	RowKey
	Unique
	Generated
	AutoIncrement
	Unsigned
)

// Column of a table.
type Column struct {
	ID      int64
	Name    string
	Logical tgr1.Logical
	// SourceType is the type as SQL spells it in lower case, for example `decimal(18,4) unsigned`.
	SourceType string
	Props      Props
	// Length is the display length or digits, Decimals the fraction digits; -1: open.
	Length, Decimals   int
	Charset, Collation string
	// Members of ENUM and SET.
	Members []string
	// Default is nil where there is none.
	Default []byte
	Attrs   []Attr
}

// Has says whether the column has all of these properties.
func (c *Column) Has(props Props) bool { return c.Props&props == props }

// Index of a table.
type Index struct {
	Name            string
	Columns         []uint32
	Unique, Primary bool
}

// Table is one version of a table's schema.
type Table struct {
	Ref            TableRef
	Database, Name string
	// Columns of every image, in order. Columns generated on read are left out.
	Columns []Column
	Indexes []Index
	// RowKey is the index that identifies a row; -1: the whole row does.
	RowKey             int
	Charset, Collation string
	Attrs              []Attr
}

// ColumnIndex is the position of the column with this name, or -1.
func (t *Table) ColumnIndex(name string) int {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// KeyColumns are the positions of the columns that identify a row: those of the row key, or all.
func (t *Table) KeyColumns() []uint32 {
	if t.RowKey >= 0 && t.RowKey < len(t.Indexes) {
		return t.Indexes[t.RowKey].Columns
	}
	all := make([]uint32, len(t.Columns))
	for i := range all {
		all[i] = uint32(i)
	}
	return all
}

// DDLKind is what a DDL does.
type DDLKind uint8

// The kinds of DDL, as the contract numbers them.
const (
	CreateSchema DDLKind = iota
	DropSchema
	AlterSchema
	CreateTable
	DropTable
	TruncateTable
	RenameTable
	RecoverTable
	CreateView
	DropView
	AddColumn
	DropColumn
	ModifyColumn
	AddIndex
	DropIndex
	AlterIndex
	AddForeignKey
	DropForeignKey
	AddPartition
	DropPartition
	TruncatePartition
	ExchangePartition
	ReorganizePartition
	AlterPartitioning
	AlterTable
	MultiSchemaChange
)

// DDL is one statement that changes schemas.
type DDL struct {
	At              Position
	Kind            DDLKind
	Database, Table string
	// Query is one statement in the source's dialect that names its objects in full.
	Query         string
	Before, After *Table
	// MaybeDone: handed over before with an outcome that is not known; look before doing it again.
	MaybeDone bool
	Attrs     []Attr
}
