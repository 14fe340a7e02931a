package tgr1_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"tidegate/tgr1"
)

const golden = "../../golden/"

type goldenRow struct {
	CommitTS  string `json:"commit_ts"`
	StartTS   string `json:"start_ts"`
	Op        string
	Flags     uint16
	Partition uint32
	Target    uint16
	Lane      uint16
	After     []json.RawMessage
	Before    []json.RawMessage
}

type goldenBatch struct {
	Table, Version string
	Flags          uint16
	Columns        []struct {
		Position      int
		Slot, Logical uint8
	}
	Rows []goldenRow
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(golden + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func load(t testing.TB, name string) (goldenBatch, []byte) {
	t.Helper()
	data, err := hex.DecodeString(strings.ReplaceAll(string(read(t, name+".hex")), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	var batch goldenBatch
	if err := json.Unmarshal(read(t, name+".json"), &batch); err != nil {
		t.Fatal(err)
	}
	return batch, data
}

var names = []string{"small", "types", "wide", "empty"}

func digits(n uint64) string { return strconv.FormatUint(n, 10) }

// text gives a value in the form of the golden files.
func text(image tgr1.Image, col int, slot tgr1.Slot) string {
	switch {
	case image.IsAbsent(col):
		return `"absent"`
	case image.IsNull(col):
		return "null"
	case slot == tgr1.SlotInt:
		v, _ := image.Int(col)
		return fmt.Sprintf(`{"int":"%d"}`, v)
	case slot == tgr1.SlotUint:
		v, _ := image.Uint(col)
		return fmt.Sprintf(`{"uint":"%d"}`, v)
	case slot == tgr1.SlotFloat:
		v, _ := image.Float(col)
		return fmt.Sprintf(`{"float":"%016x"}`, math.Float64bits(v))
	}
	v, _ := image.Bytes(col)
	return fmt.Sprintf(`{"bytes":"%x"}`, v)
}

func TestTheReaderReadsTheGoldenBatches(t *testing.T) {
	for _, name := range names {
		want, data := load(t, name)
		batch, err := tgr1.Parse(data)
		if err != nil {
			t.Fatal(name, err)
		}
		if digits(batch.Table()) != want.Table || digits(batch.Version()) != want.Version || batch.Flags() != want.Flags {
			t.Errorf("%s: table %d version %d flags %d", name, batch.Table(), batch.Version(), batch.Flags())
		}
		if batch.Len() != len(want.Rows) || len(batch.Columns()) != len(want.Columns) {
			t.Fatalf("%s: %d rows of %d columns", name, batch.Len(), len(batch.Columns()))
		}
		for i, column := range batch.Columns() {
			w := want.Columns[i]
			if column.Position != w.Position || uint8(column.Slot) != w.Slot || uint8(column.Logical) != w.Logical {
				t.Errorf("%s: column %d is %v, not %v", name, i, column, w)
			}
		}
		for i, row := range want.Rows {
			compareRow(t, fmt.Sprintf("%s row %d", name, i), batch.Columns(), batch.Row(i), row)
		}
	}
}

func compareRow(t *testing.T, name string, columns []tgr1.Column, row tgr1.Row, want goldenRow) {
	t.Helper()
	head := goldenRow{CommitTS: digits(row.CommitTS()), StartTS: digits(row.StartTS()), Op: row.Op().String(), Flags: row.Flags(),
		Partition: row.Partition(), Target: row.Target(), Lane: row.Lane()}
	after, hasAfter := row.After()
	before, hasBefore := row.Before()
	for i, column := range columns {
		if hasAfter {
			head.After = append(head.After, json.RawMessage(text(after, i, column.Slot)))
		}
		if hasBefore {
			head.Before = append(head.Before, json.RawMessage(text(before, i, column.Slot)))
		}
	}
	got, _ := json.Marshal(head)
	expected, _ := json.Marshal(want)
	if string(got) != string(expected) {
		t.Errorf("%s is\n%s, not\n%s", name, got, expected)
	}
}

func TestTheWriterMakesTheGoldenBatches(t *testing.T) {
	for _, name := range names {
		_, data := load(t, name)
		batch, err := tgr1.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		w := tgr1.NewWriter(batch.Table(), batch.Version(), batch.Columns(), batch.Flags()&tgr1.FlagAbsent != 0)
		for i := range batch.Len() {
			row := batch.Row(i)
			w.BeginRow(1, 2, tgr1.Insert, 0)
			w.BeginAfter()
			w.AbortRow()
			w.BeginRow(row.CommitTS(), row.StartTS(), row.Op(), row.Flags())
			w.SetRoute(row.Partition(), row.Target(), row.Lane())
			if image, ok := row.After(); ok {
				w.BeginAfter()
				put(w, batch.Columns(), image)
			}
			if image, ok := row.Before(); ok {
				w.BeginBefore()
				put(w, batch.Columns(), image)
			}
			if err := w.EndRow(); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.Finish(); string(got) != string(data) {
			t.Errorf("%s: wrote\n%x, not\n%x", name, got, data)
		}
	}
}

func put(w *tgr1.Writer, columns []tgr1.Column, image tgr1.Image) {
	for col, column := range columns {
		switch {
		case image.IsAbsent(col):
			w.PutAbsent(col)
		case image.IsNull(col):
		case column.Slot == tgr1.SlotBytes:
			v, _ := image.Bytes(col)
			w.PutBytes(col, v)
		default:
			v, _ := image.Uint(col)
			w.PutUint(col, v)
		}
	}
}

// verdict is one letter: what becomes of these bytes.
func verdict(data []byte) byte {
	batch, err := tgr1.Parse(data)
	if err != nil {
		return string(err.(*tgr1.FormatError).Fault)[0]
	}
	for i := range batch.Len() {
		row := batch.Row(i)
		after, hasAfter := row.After()
		before, hasBefore := row.Before()
		for col, column := range batch.Columns() {
			if hasAfter && after.Check(col, column) != nil || hasBefore && before.Check(col, column) != nil {
				return 's'
			}
		}
	}
	return '.'
}

// Every byte of every golden batch is damaged in three ways; all SDKs must see the same.
func TestDamageIsSeenAsEverywhere(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(string(read(t, "damage.txt"))), "\n") {
		part := strings.Fields(line)
		_, data := load(t, part[0])
		mask, _ := strconv.ParseUint(part[1], 16, 8)
		got := make([]byte, len(data))
		for i := range data {
			data[i] ^= byte(mask)
			got[i] = verdict(data)
			data[i] ^= byte(mask)
		}
		if string(got) != part[2] {
			t.Errorf("%s %s: saw\n%s, not\n%s", part[0], part[1], got, part[2])
		}
	}
}

func TestCutBatchesAreRefused(t *testing.T) {
	for _, name := range names {
		_, data := load(t, name)
		for n := range data {
			if v := verdict(data[:n]); v != 'b' && v != 'm' {
				t.Fatalf("%s cut to %d bytes: %c", name, n, v)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range names {
		_, data := load(f, name)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { verdict(data) })
}

func TestTimes(t *testing.T) {
	var want struct {
		Times []struct {
			Packed                                 string
			Year, Month, Day, Hour, Minute, Second int
			Micro, FSP                             int
			Text                                   string
		}
		Durations []struct {
			Micros, Text string
			FSP          int
		}
	}
	if err := json.Unmarshal(read(t, "times.json"), &want); err != nil {
		t.Fatal(err)
	}
	for _, w := range want.Times {
		packed := tgr1.PackTime(w.Year, w.Month, w.Day, w.Hour, w.Minute, w.Second, w.Micro)
		if digits(uint64(packed)) != w.Packed || string(packed.AppendDateTime(nil, w.FSP)) != w.Text {
			t.Errorf("%v: %d %s", w, packed, packed.AppendDateTime(nil, w.FSP))
		}
		parts := []int{packed.Year(), packed.Month(), packed.Day(), packed.Hour(), packed.Minute(), packed.Second(), packed.Micro()}
		if fmt.Sprint(parts) != fmt.Sprint([]int{w.Year, w.Month, w.Day, w.Hour, w.Minute, w.Second, w.Micro}) {
			t.Errorf("%v: %v", w, parts)
		}
	}
	for _, w := range want.Durations {
		micros, _ := strconv.ParseInt(w.Micros, 10, 64)
		if got := string(tgr1.AppendDuration(nil, micros, w.FSP)); got != w.Text {
			t.Errorf("%s: %s, not %s", w.Micros, got, w.Text)
		}
	}
}
