package meter_test

import (
	"testing"

	"plasm/lib/meter"
)

func BenchmarkCheck(b *testing.B) {
	module := example(b, "csvstat")
	b.SetBytes(int64(len(module)))
	for b.Loop() {
		if err := meter.Check(module, meter.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRewrite(b *testing.B) {
	module := example(b, "csvstat")
	b.SetBytes(int64(len(module)))
	for b.Loop() {
		if _, err := meter.Rewrite(module, meter.Options{Fuel: true, CanonicalNaN: true}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRemainders(b *testing.B) {
	module := example(b, "csvstat")
	b.SetBytes(int64(len(module)))
	for b.Loop() {
		if _, err := meter.Rewrite(module, meter.Options{Remainders: true}); err != nil {
			b.Fatal(err)
		}
	}
}
