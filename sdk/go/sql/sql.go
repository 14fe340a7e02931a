// Package sql talks to databases. Connections, TLS, credentials, timeouts and fencing belong to the host.
package sql

import (
	"errors"
	"fmt"

	"tidegate"
)

// Kind of an error.
type Kind uint8

// The kinds, as the contract numbers them.
const (
	// Retryable: nothing took effect; try again later.
	Retryable Kind = iota
	// Unknown: the connection broke while the outcome was open.
	Unknown
	// Fenced: another writer holds the slot.
	Fenced
	// Duplicate key.
	Duplicate
	// Refused: the server refused the statement for good.
	Refused
	// Denied: credentials or rights.
	Denied
)

// Error of a statement.
type Error struct {
	Kind     Kind
	Errno    uint16
	SQLState string
	Message  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s (errno %d, %s)", e.Message, e.Errno, e.SQLState)
}

// KindOf finds the kind of an SQL error within an error.
func KindOf(err error) (Kind, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind, true
	}
	return 0, false
}

// failure is what a plugin that does not look closer returns.
func failure(e *Error) error {
	if e == nil {
		return nil
	}
	switch e.Kind {
	case Retryable:
		return tidegate.Retryable(e)
	case Unknown:
		return tidegate.Unknown(e)
	case Fenced:
		return tidegate.Fenced(e)
	}
	return tidegate.Fatal(fmt.Sprintf("sql-%d", e.Errno), e)
}

// Dialect of a server.
type Dialect uint8

// The dialects, as the contract numbers them.
const (
	MySQL Dialect = iota
	MariaDB
	TiDB
	Other
)

// Result of statements.
type Result struct {
	Affected uint64
	Warnings uint32
}

// ResultSet of a query. Values are nil, int64, uint64, float64, string or []byte.
type ResultSet struct {
	Columns []string
	Rows    [][]any
}

// Statements are SQL texts in one buffer, to be filled without an allocation for each: append to Data, then call End.
type Statements struct {
	Data []byte
	Ends []uint32
}

// End ends the statement in progress.
func (s *Statements) End() { s.Ends = append(s.Ends, uint32(len(s.Data))) }

// Add adds a whole statement.
func (s *Statements) Add(statement string) {
	s.Data = append(s.Data, statement...)
	s.End()
}

// Len is the number of statements.
func (s *Statements) Len() int { return len(s.Ends) }

// Reset forgets the statements and keeps the memory.
func (s *Statements) Reset() { s.Data, s.Ends = s.Data[:0], s.Ends[:0] }

// Conn is a connection the host keeps.
type Conn struct{ handle uint32 }

// Open opens an endpoint, one of the context's. Errors of this package are failures made of *Error.
func Open(endpoint string) (*Conn, error) {
	handle, err := open(endpoint)
	if err != nil {
		return nil, failure(err)
	}
	return &Conn{handle}, nil
}

// Dialect the server speaks.
func (c *Conn) Dialect() Dialect { return Dialect(dialect(c.handle)) }

// ServerVersion as the server says it.
func (c *Conn) ServerVersion() string { return version(c.handle) }

// MaxStatementBytes is the largest statement the server takes.
func (c *Conn) MaxStatementBytes() int { return int(maxBytes(c.handle)) }

// Transact runs the statements as one transaction, in as few round trips as the protocol allows. On a fenced endpoint the lane's
// progress goes into the same transaction.
func (c *Conn) Transact(statements *Statements) (Result, error) {
	result, err := transact(c.handle, statements)
	return result, failure(err)
}

// Execute runs one statement outside a transaction (DDL, session settings).
func (c *Conn) Execute(statement string) (Result, error) {
	result, err := execute(c.handle, statement)
	return result, failure(err)
}

// Query reads at most maxRows rows.
func (c *Conn) Query(statement string, maxRows uint32) (*ResultSet, error) {
	set, err := query(c.handle, statement, maxRows)
	return set, failure(err)
}

// Close gives the connection back.
func (c *Conn) Close() { closeConn(c.handle) }
