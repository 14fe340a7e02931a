package tgr1

import "time"

// PackedTime is a date, datetime or timestamp, which may have zero parts.
type PackedTime uint64

// Year is the year; 0 in a zero date.
func (t PackedTime) Year() int { return int(t >> 46 / 13) }

// Month counts from 1; 0: none.
func (t PackedTime) Month() int { return int(t >> 46 % 13) }

// Day is the day of the month; 0: none.
func (t PackedTime) Day() int { return int(t >> 41 & 31) }

// Hour is the hour.
func (t PackedTime) Hour() int { return int(t >> 36 & 31) }

// Minute is the minute.
func (t PackedTime) Minute() int { return int(t >> 30 & 63) }

// Second is the second.
func (t PackedTime) Second() int { return int(t >> 24 & 63) }

// Micro is the microsecond.
func (t PackedTime) Micro() int { return int(t & 0xffffff) }

// PackTime makes a packed time of its parts.
func PackTime(year, month, day, hour, minute, second, micro int) PackedTime {
	date := uint64(year*13+month)<<46 | uint64(day)<<41
	return PackedTime(date | uint64(hour)<<36 | uint64(minute)<<30 | uint64(second)<<24 | uint64(micro))
}

// Go is the moment as the standard library has it, in this zone; false when a part of the date is zero.
func (t PackedTime) Go(zone *time.Location) (time.Time, bool) {
	if t.Month() == 0 || t.Day() == 0 {
		return time.Time{}, false
	}
	return time.Date(t.Year(), time.Month(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Micro()*1000, zone), true
}

// AppendDate appends `2020-02-20`.
func (t PackedTime) AppendDate(dst []byte) []byte {
	year := t.Year()
	dst = digits2(dst, year/100%100)
	dst = append(digits2(dst, year%100), '-')
	dst = append(digits2(dst, t.Month()), '-')
	return digits2(dst, t.Day())
}

// AppendDateTime appends `2020-02-20 02:20:20.123456` with fsp fraction digits (at most 6; further ones are cut, not rounded).
func (t PackedTime) AppendDateTime(dst []byte, fsp int) []byte {
	dst = append(t.AppendDate(dst), ' ')
	dst = append(digits2(dst, t.Hour()), ':')
	dst = append(digits2(dst, t.Minute()), ':')
	return fraction(digits2(dst, t.Second()), t.Micro(), fsp)
}

// String has six fraction digits unless they are zero.
func (t PackedTime) String() string {
	fsp := 6
	if t.Micro() == 0 {
		fsp = 0
	}
	return string(t.AppendDateTime(nil, fsp))
}

// AppendDuration appends a TIME of signed microseconds, `-HH:MM:SS` with at least two hour digits and fsp fraction digits.
func AppendDuration(dst []byte, micros int64, fsp int) []byte {
	size := uint64(micros)
	if micros < 0 {
		dst = append(dst, '-')
		size = -size
	}
	seconds := size / 1_000_000
	hours := seconds / 3600
	if hours < 100 {
		dst = digits2(dst, int(hours))
	} else {
		dst = appendUint(dst, hours)
	}
	dst = append(dst, ':')
	dst = append(digits2(dst, int(seconds/60%60)), ':')
	return fraction(digits2(dst, int(seconds%60)), int(size%1_000_000), fsp)
}

func appendUint(dst []byte, n uint64) []byte {
	if n >= 10 {
		dst = appendUint(dst, n/10)
	}
	return append(dst, '0'+byte(n%10))
}

func digits2(dst []byte, n int) []byte { return append(dst, '0'+byte(n/10%10), '0'+byte(n%10)) }

func fraction(dst []byte, micro, fsp int) []byte {
	if fsp <= 0 {
		return dst
	}
	dst = append(dst, '.')
	for scale := 100_000; fsp > 0 && scale > 0; fsp, scale = fsp-1, scale/10 {
		dst = append(dst, '0'+byte(micro/scale%10))
	}
	return dst
}
