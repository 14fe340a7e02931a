package main

import (
	"bytes"
	"math"
	"slices"

	"github.com/google/btree"
	"github.com/pingcap/kvproto/pkg/cdcpb"
	"github.com/pingcap/kvproto/pkg/kvrpcpb"
)

// shortValueMax is the longest value that TiKV keeps in a commit record and so repeats in COMMIT rows.
const shortValueMax = 255

// change is one write of one key: pending while it is a lock, committed when commitTS is set.
type change struct {
	startTS, commitTS uint64
	op                cdcpb.Event_Row_OpType
	value             []byte
	source            uint64
	generation        uint64
}

// entry is the whole life of one key.
type entry struct {
	key       []byte
	committed []change // by commitTS
	pending   []change // live locks; more than one only by error of the engine
}

// journal remembers every version and every lock on data. The engine cannot be read by commit-ts, a change
// feed must be: so the journal is written beside it. Its owner serialises the calls.
type journal struct {
	entries *btree.BTreeG[*entry]
	live    map[*entry]struct{} // those with locks: few, so they are looked through
}

func newJournal() *journal {
	less := func(a, b *entry) bool { return bytes.Compare(a.key, b.key) < 0 }
	return &journal{entries: btree.NewG(32, less), live: map[*entry]struct{}{}}
}

func (j *journal) at(key []byte) *entry {
	if e, ok := j.entries.Get(&entry{key: key}); ok {
		return e
	}
	e := &entry{key: bytes.Clone(key)}
	j.entries.ReplaceOrInsert(e)
	return e
}

// before is the value a reader sees just below the n-th committed version.
func (e *entry) before(n int) []byte {
	if n > 0 && e.committed[n-1].op == cdcpb.Event_Row_PUT {
		return e.committed[n-1].value
	}
	return nil
}

func (e *entry) find(startTS uint64) int {
	for i := range e.pending {
		if e.pending[i].startTS == startTS {
			return i
		}
	}
	return -1
}

// insert puts a version in its place by commit-ts and says where that is.
func (e *entry) insert(c change) int {
	n := len(e.committed)
	for n > 0 && e.committed[n-1].commitTS > c.commitTS {
		n--
	}
	e.committed = append(e.committed, change{})
	copy(e.committed[n+1:], e.committed[n:])
	e.committed[n] = c
	return n
}

// dataOp tells what a mutation does to data; locks without data are no part of a feed.
func dataOp(op kvrpcpb.Op) (cdcpb.Event_Row_OpType, bool) {
	if op == kvrpcpb.Op_Put || op == kvrpcpb.Op_Insert {
		return cdcpb.Event_Row_PUT, true
	}
	return cdcpb.Event_Row_DELETE, op == kvrpcpb.Op_Del
}

func changeOf(m *kvrpcpb.Mutation, startTS, source uint64) (change, bool) {
	op, ok := dataOp(m.Op)
	c := change{startTS: startTS, op: op, source: source}
	if ok && op == cdcpb.Event_Row_PUT {
		c.value = bytes.Clone(m.Value)
	}
	return c, ok
}

// lock notes a prewrite. Pipelined transactions write a key again with a greater generation.
func (j *journal) lock(m *kvrpcpb.Mutation, startTS, source, generation uint64) *cdcpb.Event_Row {
	c, ok := changeOf(m, startTS, source)
	if !ok {
		return nil
	}
	c.generation = generation
	e := j.at(m.Key)
	if i := e.find(startTS); i < 0 {
		e.pending = append(e.pending, c)
		j.live[e] = struct{}{}
	} else if generation > e.pending[i].generation {
		e.pending[i] = c
	} else {
		return nil
	}
	return e.prewriteRow(c)
}

// commit turns a lock into a version.
func (j *journal) commit(key []byte, startTS, commitTS uint64) *cdcpb.Event_Row {
	e := j.at(key)
	i := e.find(startTS)
	if i < 0 {
		return nil
	}
	c := e.pending[i]
	j.unlock(e, i)
	c.commitTS = commitTS
	e.insert(c)
	row := c.row(cdcpb.Event_COMMIT, e.key)
	if len(c.value) > shortValueMax {
		row.Value = nil
	}
	return row
}

// commitAtOnce notes a one-phase commit.
func (j *journal) commitAtOnce(m *kvrpcpb.Mutation, startTS, commitTS, source uint64) *cdcpb.Event_Row {
	c, ok := changeOf(m, startTS, source)
	if !ok {
		return nil
	}
	c.commitTS = commitTS
	e := j.at(m.Key)
	return e.committedRow(e.insert(c))
}

// undo drops a lock. TiKV leaves a rollback record, and sends a row, even where there was none.
func (j *journal) undo(key []byte, startTS uint64) *cdcpb.Event_Row {
	e := j.at(key)
	if i := e.find(startTS); i >= 0 {
		j.unlock(e, i)
	}
	return &cdcpb.Event_Row{Type: cdcpb.Event_ROLLBACK, StartTs: startTS, Key: e.key}
}

func (j *journal) unlock(e *entry, i int) {
	e.pending = append(e.pending[:i], e.pending[i+1:]...)
	if len(e.pending) == 0 {
		delete(j.live, e)
	}
}

func (c *change) row(t cdcpb.Event_LogType, key []byte) *cdcpb.Event_Row {
	return &cdcpb.Event_Row{
		Type: t, OpType: c.op, StartTs: c.startTS, CommitTs: c.commitTS, Key: key, Value: c.value,
		TxnSource: c.source, Generation: c.generation,
	}
}

func (e *entry) prewriteRow(c change) *cdcpb.Event_Row {
	row := c.row(cdcpb.Event_PREWRITE, e.key)
	row.OldValue = e.before(len(e.committed))
	return row
}

func (e *entry) committedRow(n int) *cdcpb.Event_Row {
	row := e.committed[n].row(cdcpb.Event_COMMITTED, e.key)
	row.Generation = 0
	row.OldValue = e.before(n)
	return row
}

func (j *journal) each(r keyRange, visit func(*entry)) {
	j.entries.AscendGreaterOrEqual(&entry{key: r.start}, func(e *entry) bool {
		if r.isBelow(e.key) {
			return false
		}
		visit(e)
		return true
	})
}

// scan is TiKV's incremental scan: keys ascending, of each the lock and then the versions above the
// checkpoint, newest first.
func (j *journal) scan(r keyRange, checkpoint uint64, visit func(*cdcpb.Event_Row)) {
	j.each(r, func(e *entry) {
		for _, c := range e.pending {
			visit(e.prewriteRow(c))
		}
		for n := len(e.committed) - 1; n >= 0 && e.committed[n].commitTS > checkpoint; n-- {
			visit(e.committedRow(n))
		}
	})
}

// lockedBy lists the keys in a range that a transaction holds.
func (j *journal) lockedBy(startTS uint64, r keyRange) (keys [][]byte) {
	for e := range j.live {
		if r.has(e.key) && e.find(startTS) >= 0 {
			keys = append(keys, e.key)
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	return keys
}

// oldestLock is the smallest start-ts of a lock in the range.
func (j *journal) oldestLock(r keyRange) uint64 {
	oldest := uint64(math.MaxUint64)
	for e := range j.live {
		for _, c := range e.pending {
			if r.has(e.key) {
				oldest = min(oldest, c.startTS)
			}
		}
	}
	return oldest
}
