package cli

import (
	"math/big"
	"strconv"
	"strings"
	"testing"
)

func TestAmount(t *testing.T) {
	t.Parallel()
	const most = 1<<53 - 1
	tests := []struct {
		text      string
		unit      uint64
		low, high int64
		want      int64 // or -1
		err       string
	}{
		{"64", MiB, 1, 4096, 64, ""},
		{"64M", MiB, 1, 4096, 64, ""},
		{"64MiB", MiB, 1, 4096, 64, ""},
		{"1G", MiB, 1, 4096, 1024, ""},
		{"4GiB", MiB, 1, 4096, 4096, ""},
		{"1024K", MiB, 1, 4096, 1, ""},
		{"+5", MiB, 1, 4096, 5, ""},
		{"1048576KB", MiB, 1, 4096, 1000, ""},
		{"5G", MiB, 1, 4096, -1, "not an amount from 1 MiB to 4 GiB"},
		{"0", MiB, 1, 4096, -1, "not an amount from 1 MiB to 4 GiB"},
		{"-1M", MiB, 1, 4096, -1, "not an amount from 1 MiB to 4 GiB"},
		{"64MB", MiB, 1, 4096, -1, "not a whole number of MiB, which are 2^20 bytes"},
		{"1K", MiB, 1, 4096, -1, "not a whole number of MiB, which are 2^20 bytes"},
		{"64", Byte, 0, most, 64, ""},
		{"0", Byte, 0, most, 0, ""},
		{"1K", Byte, 0, most, 1024, ""},
		{"1KB", Byte, 0, most, 1000, ""},
		{"10MB", Byte, 0, most, 10_000_000, ""},
		{"2GB", Byte, 0, most, 2_000_000_000, ""},
		{"2GiB", Byte, 0, most, 2 << 30, ""},
		{"8388607G", Byte, 0, most, 8388607 << 30, ""},
		{"8388608G", Byte, 0, most, -1, "not an amount from 0 bytes to 9007199254740991 bytes"},
		{"9223372036854775807G", Byte, 0, most, -1, "not an amount from 0 bytes to 9007199254740991 bytes"},
		{"99999999999999999999", Byte, 1, 64 << 20, -1, "not an amount from 1 byte to 64 MiB"},
		{"", Byte, 0, most, -1, "not an amount: a whole number of bytes, or one with "},
		{"M", MiB, 1, 4096, -1, "not an amount: a whole number of MiB, or one with "},
		{"1.5G", MiB, 1, 4096, -1, "not an amount: "},
		{"64m", MiB, 1, 4096, -1, "not an amount: "},
		{"64 M", MiB, 1, 4096, -1, "not an amount: "},
		{"64B", MiB, 1, 4096, -1, "not an amount: "},
		{"1e3", MiB, 1, 4096, -1, "not an amount: "},
		{"1_0", MiB, 1, 4096, -1, "not an amount: "},
	}
	for _, test := range tests {
		got := int64(-1)
		err := amount{&got, test.unit, test.low, test.high}.Set(test.text)
		if got != test.want || (err == nil) != (test.err == "") || err != nil &&
			!strings.HasPrefix(err.Error(), test.err) {
			t.Errorf("%q: %d, %v; want %d, %s", test.text, got, err, test.want, test.err)
		}
	}
}

func TestAmountDefault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n    int64
		unit uint64
		want string
	}{
		{16 << 20, Byte, "16M"},
		{1 << 30, Byte, "1G"},
		{1000, Byte, "1000"},
		{1024, Byte, "1K"},
		{0, Byte, "0"},
		{1024, MiB, "1G"},
		{1000, MiB, "1000M"},
	} {
		a := amount{&test.n, test.unit, 0, 1 << 53}
		shown := a.shownDefault()
		if shown != test.want {
			t.Errorf("%d of %d: %s, want %s", test.n, test.unit, shown, test.want)
		}
		if got, err := a.parse(shown); err != nil || got != test.n {
			t.Errorf("%s is read as %d, %v", shown, got, err)
		}
	}
}

// FuzzAmount: what is taken is what numbers without bounds say.
func FuzzAmount(f *testing.F) {
	for _, text := range []string{"64M", "1GiB", "10MB", "9223372036854775807G", "18446744073709551615", "-1K"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, unit := range []int64{Byte, MiB} {
			got := int64(-1)
			if (amount{&got, uint64(unit), 0, 1<<53 - 1}).Set(text) != nil {
				continue
			}
			number := strings.TrimRight(text, "KMGiB")
			n, err := strconv.ParseInt(number, 10, 64)
			scale := map[string]int64{
				"": unit, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
				"KB": 1e3, "MB": 1e6, "GB": 1e9,
			}[text[len(number):]]
			if bytes := new(big.Int).Mul(big.NewInt(n), big.NewInt(scale)); err != nil ||
				bytes.Cmp(new(big.Int).Mul(big.NewInt(got), big.NewInt(unit))) != 0 {
				t.Errorf("%q is %d of %d", text, got, unit)
			}
		}
	})
}
