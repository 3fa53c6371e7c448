package job

import "testing"

func TestAmounts(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 1000: "1000 bytes", 1024: "1 KiB", 1025 << 10: "1025 KiB", 64 << 20: "64 MiB",
		4096 << 20: "4 GiB", 4097 << 20: "4097 MiB", 1 << 50: "1 PiB", 1 << 60: "1024 PiB",
		MaxSafeInt: "9007199254740991 bytes",
	} {
		if got := Amount(n); got != want {
			t.Errorf("%d bytes: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 11 << 20: "11 MiB", 4097 << 20: "4.0 GiB",
		MaxSafeInt: "8.0 PiB",
	} {
		if got := Roughly(n); got != want {
			t.Errorf("roughly %d bytes: %q, want %q", n, got, want)
		}
	}
	for ms, want := range map[int64]string{
		0: "0s", 1: "1ms", 1500: "1.5s", 60_000: "1m", 90_000: "1m30s", 7_200_000: "2h", 3_601_000: "1h0m1s",
		MaxTimeout: "168h",
		MaxSafeInt: "9007199254740991 ms", 1<<63 - 1: "9223372036854775807 ms",
	} {
		if got := Span(ms); got != want {
			t.Errorf("%d ms: %q, want %q", ms, got, want)
		}
	}
	for us, want := range map[int64]string{
		0: "0s", 9: "10µs", 1500: "1.5ms", 12_345_678: "12.3s",
		123_000_000: "2m3s",
	} {
		if got := Micros(us); got != want {
			t.Errorf("%d µs: %q, want %q", us, got, want)
		}
	}
	for _, test := range [][2]any{
		{[2]int64{4097 << 20, 4096 << 20}, [2]string{"4097 MiB", "4 GiB"}},
		{[2]int64{16<<20 + 1, 16 << 20}, [2]string{"16777217 bytes", "16 MiB"}},
		{[2]int64{100 << 20, 2500}, [2]string{"100 MiB", "2.4 KiB"}},
		{[2]int64{20000, 20000}, [2]string{"20 KiB", "20 KiB"}},
	} {
		n, _ := test[0].([2]int64)
		var got [2]string
		if got[0], got[1] = Amounts(n[0], n[1]); got != test[1] {
			t.Errorf("%d: %q, want %q", n, got, test[1])
		}
	}
}
