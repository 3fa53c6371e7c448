package cli

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// The units of amounts, in bytes.
const (
	Byte = 1
	MiB  = 1 << 20
)

// unitNames are the units that an amount may have, the largest first: in bytes. Those of
// computers count in 1024s, with or without iB, and those of disks in 1000s.
var unitNames = []struct {
	name  string
	bytes uint64
}{
	{"GiB", 1 << 30},
	{"MiB", 1 << 20},
	{"KiB", 1 << 10},
	{"GB", 1e9},
	{"MB", 1e6},
	{"KB", 1e3},
	{"G", 1 << 30},
	{"M", 1 << 20},
	{"K", 1 << 10},
}

// amount is a flag value: a number of bytes, counted in a unit.
type amount struct {
	into      *int64
	unit      uint64
	low, high int64
}

// Amount defines a flag that takes a number of bytes, such as 64M, 1GiB or 10MB, and
// stores it in units of Byte or MiB. A number without a unit is in that of the flag. What
// comes to no whole number of these, from low to high, is refused.
func (f *Flags) Amount(into *int64, unit uint64, low, high int64, flag Flag) {
	f.define(flag, Amount, amount{into, unit, low, high})
}

func (a amount) String() string { return strconv.FormatInt(*a.into, 10) }

func (a amount) Set(s string) error {
	n, err := a.parse(s)
	if err != nil {
		return err
	}
	*a.into = n
	return nil
}

func (a amount) parse(s string) (int64, error) {
	digits, scale := s, a.unit
	for _, unit := range unitNames {
		if before, ok := strings.CutSuffix(s, unit.name); ok {
			digits, scale = before, unit.bytes
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0,
			fmt.Errorf("not an amount: a whole number of %s, or one with K, M, G, KiB, MiB, GiB (powers of 1024), "+
				"KB, MB or GB (of 1000)",
				map[uint64]string{Byte: "bytes", MiB: "MiB"}[a.unit])
	}
	high, low := bits.Mul64(uint64(max(n, 0)), scale)
	if err != nil || n < 0 || high >= a.unit { // the quotient would not fit
		return 0, a.outside()
	}
	units, rest := bits.Div64(high, low, a.unit)
	switch {
	case rest != 0:
		return 0, errors.New("not a whole number of MiB, which are 2^20 bytes")
	case units > uint64(a.high) || int64(units) < a.low:
		return 0, a.outside()
	}
	return int64(units), nil
}

func (a amount) outside() error {
	return fmt.Errorf("not an amount from %s to %s", a.shown(a.low), a.shown(a.high))
}

// shown is a number of units as people read it: in the largest unit of 1024s that it is
// a whole number of.
func (a amount) shown(n int64) string {
	for _, unit := range unitNames[:3] {
		whole := int64(unit.bytes / a.unit)
		if whole > 1 && n != 0 && n%whole == 0 || whole == 1 {
			return strconv.FormatInt(n/whole, 10) + " " + unit.name
		}
	}
	if n == 1 {
		return "1 byte"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// shownDefault is the default as it would be typed.
func (a amount) shownDefault() string {
	number, unit, _ := strings.Cut(a.shown(*a.into), " ")
	if strings.HasPrefix(unit, "byte") {
		return number
	}
	return number + strings.TrimSuffix(unit, "iB")
}
