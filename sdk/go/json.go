package tidegate

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"

	"tidegate/tgr1"
)

// AppendJSON appends the record as one JSON object, column names as keys. Numbers are numbers with all their digits, decimals and
// times are strings as SQL prints them, JSON columns are embedded, bytes are base64.
func (r Record) AppendJSON(dst []byte) ([]byte, error) {
	dst = append(dst, '{')
	for col := range r.Len() {
		if col > 0 {
			dst = append(dst, ',')
		}
		dst = AppendJSONString(dst, r.Column(col).Name)
		dst = append(dst, ':')
		var err error
		if dst, err = r.AppendJSONValue(dst, col); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// AppendJSONValue appends the value of one column.
func (r Record) AppendJSONValue(dst []byte, col int) ([]byte, error) {
	spec := r.rows.Batch.Columns()[col]
	if r.IsNull(col) {
		return append(dst, "null"...), nil
	}
	if err := r.Check(col, spec); err != nil {
		return dst, Fatal("batch", err)
	}
	switch spec.Slot {
	case tgr1.SlotInt:
		v, _ := r.Int(col)
		if spec.Logical == tgr1.TimeOfDay {
			return append(tgr1.AppendDuration(append(dst, '"'), v, r.fsp(col)), '"'), nil
		}
		return strconv.AppendInt(dst, v, 10), nil
	case tgr1.SlotFloat:
		v, _ := r.Float(col)
		bits := 64
		if spec.Logical == tgr1.Float32 {
			bits = 32
		}
		return appendFloat(dst, v, bits), nil
	case tgr1.SlotUint:
		v, _ := r.Uint(col)
		return r.appendUnsigned(dst, col, spec.Logical, v), nil
	}
	data, _ := r.Bytes(col)
	switch spec.Logical {
	case tgr1.JSON:
		return append(dst, data...), nil
	case tgr1.Bytes:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), data), '"'), nil
	case tgr1.Vector:
		return appendVector(dst, data), nil
	}
	return AppendJSONString(dst, data), nil
}

func (r Record) appendUnsigned(dst []byte, col int, logical tgr1.Logical, v uint64) []byte {
	switch logical {
	case tgr1.Date:
		return append(tgr1.PackedTime(v).AppendDate(append(dst, '"')), '"')
	case tgr1.DateTime, tgr1.Timestamp:
		return append(tgr1.PackedTime(v).AppendDateTime(append(dst, '"'), r.fsp(col)), '"')
	case tgr1.Enum:
		return AppendJSONString(dst, EnumText(r.Column(col), v))
	case tgr1.Set:
		return AppendJSONString(dst, SetText(r.Column(col), v))
	}
	return strconv.AppendUint(dst, v, 10)
}

func (r Record) fsp(col int) int { return max(r.Column(col).Decimals, 0) }

func appendFloat(dst []byte, v float64, bits int) []byte {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}

func appendVector(dst, data []byte) []byte {
	dst = append(dst, '[')
	for at := 0; at+4 <= len(data); at += 4 {
		if at > 0 {
			dst = append(dst, ',')
		}
		dst = appendFloat(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(data[at:]))), 32)
	}
	return append(dst, ']')
}

const hexDigits = "0123456789abcdef"

// plain says which bytes stand for themselves in a JSON string.
var plain = func() (table [256]bool) {
	for c := range table {
		table[c] = c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf
	}
	return table
}()

// AppendJSONString appends a quoted string; bytes that are not UTF-8 become U+FFFD.
func AppendJSONString[T ~string | ~[]byte](dst []byte, text T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			// A rune has at most four bytes.
			r, size := utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))]))
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, text[start:i]...), `\ufffd`...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = appendEscape(append(dst, text[start:i]...), c)
		i++
		start = i
	}
	return append(append(dst, text[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
