package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkPHP measures the PHP SDK: what it adds to a warm hello by the bare
// command, the time to verify one receipt, and the memory that a result document
// of 1 MiB takes.
func BenchmarkPHP(b *testing.B) {
	h := build(b)
	h.env = append(h.env, "PLASM_BIN="+h.dir)
	var added, share, verify, memory []float64
	for b.Loop() {
		cmd := h.command("php", filepath.Join("..", "php", "bench", "speed.php"), "60")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			b.Fatal(err)
		}
		var figures struct {
			BareMS      float64 `json:"bare_ms"`
			SDKMS       float64 `json:"sdk_ms"`
			VerifyUS    float64 `json:"verify_us"`
			MemoryRatio float64 `json:"memory_ratio"`
		}
		if err := json.Unmarshal(out, &figures); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		added = append(added, figures.SDKMS-figures.BareMS)
		share = append(share, figures.SDKMS/figures.BareMS)
		verify = append(verify, figures.VerifyUS)
		memory = append(memory, figures.MemoryRatio)
	}
	// 15 % or 10 ms, whichever is larger.
	b.ReportMetric(median(share), "x-bare-hello")
	if median(share) > 1.15 {
		atMost(b, median(added), "ms-added", 10)
	} else {
		b.ReportMetric(median(added), "ms-added")
	}
	atMost(b, median(verify), "us/receipt", 1000)
	atMost(b, median(memory), "x-document-in-memory", 4)
}
