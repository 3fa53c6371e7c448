package main

import (
	"fmt"
	"math"
	"strings"
)

// The plot's measures, in pixels. Ratios are drawn by their logarithm, so that twice
// as slow is as far from native as twice as fast would be.
const (
	plotWidth = 760
	plotLeft  = 130
	plotRight = 24
	plotTop   = 64
	rowHeight = 40
	smallest  = 0.8 // the ratio at the left edge
)

// series are the columns that are drawn, each by a class of the style.
var series = []struct{ key, title string }{
	{"wasmtime-simd", "wasmtime, SIMD"},
	{"wasmtime-scalar", "wasmtime, scalar"},
	{"wazero-simd", "wazero, SIMD"},
	{"wazero-scalar", "wazero, scalar"},
}

const plotStyle = `<style>
svg { background: #ffffff; font: 13px DejaVu Sans, Verdana, sans-serif }
text { fill: #24292f } .quiet { fill: #57606a }
.grid { stroke: #d0d7de } .native { stroke: #24292f; stroke-width: 1.5 } .band { fill: #f3f5f7 }
.s0 { fill: #0969da; stroke: #0969da } .s1 { fill: #ffffff; stroke: #0969da }
.s2 { fill: #bc4c00; stroke: #bc4c00 } .s3 { fill: #ffffff; stroke: #bc4c00 }
circle, .s0, .s1, .s2, .s3 { stroke-width: 2 }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 } text { fill: #e6edf3 } .quiet { fill: #9198a1 }
.grid { stroke: #30363d } .native { stroke: #e6edf3 } .band { fill: #161b22 }
.s0 { fill: #58a6ff; stroke: #58a6ff } .s1 { fill: #0d1117; stroke: #58a6ff }
.s2 { fill: #f0883e; stroke: #f0883e } .s3 { fill: #0d1117; stroke: #f0883e }
}
</style>
`

// plot draws each kernel's ratios in a row, and their geometric mean in the last.
func (r *results) plot() string {
	rows := append([]kernelFigures{}, r.Kernels...)
	rows = append(rows, kernelFigures{Name: "geometric mean", Ratios: r.Means})
	largest := smallest
	for _, row := range rows {
		for _, s := range series {
			largest = max(largest, row.Ratios[s.key].High)
		}
	}
	largest *= 1.1
	x := func(ratio float64) float64 {
		part := math.Log(ratio/smallest) / math.Log(largest/smallest)
		return math.Round((plotLeft+part*(plotWidth-plotLeft-plotRight))*10) / 10
	}
	bottom := plotTop + len(rows)*rowHeight
	var b strings.Builder
	_, _ = fmt.Fprintf(&b,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n",
		plotWidth, bottom+44, plotWidth, bottom+44)
	_, _ = b.WriteString("<title>Processor time of each kernel, in that of the native program</title>\n" + plotStyle)
	for i, s := range series {
		at := 24 + i*(plotWidth-40)/len(series)
		_, _ = fmt.Fprintf(&b, `<circle class="s%d" cx="%d" cy="24" r="5"/><text x="%d" y="29">%s</text>`+"\n", i, at,
			at+12, s.title)
	}
	for i := range rows {
		if i%2 == 0 {
			_, _ = fmt.Fprintf(&b, `<rect class="band" x="0" y="%d" width="%d" height="%d"/>`+"\n", plotTop+i*rowHeight,
				plotWidth, rowHeight)
		}
	}
	for _, tick := range []float64{1, 1.5, 2, 3, 4, 6, 8, 12, 16} {
		if tick < largest {
			class := "grid"
			if tick == 1 {
				class = "native"
			}
			_, _ = fmt.Fprintf(&b, `<line class="%s" x1="%v" x2="%v" y1="%d" y2="%d"/>`, class, x(tick), x(tick),
				plotTop-6, bottom)
			_, _ = fmt.Fprintf(&b, `<text class="quiet" text-anchor="middle" x="%v" y="%d">%v</text>`+"\n", x(tick),
				bottom+18, tick)
		}
	}
	for i, row := range rows {
		drawRow(&b, row, plotTop+i*rowHeight, x)
	}
	_, _ = fmt.Fprintf(&b,
		`<text class="quiet" x="%d" y="%d">times the processor time of the native program; lines: quartiles of %d `+
			`rounds</text>`+"\n</svg>\n", plotLeft, bottom+36, r.Rounds)
	return b.String()
}

// drawRow draws one row, each series a little lower than the one before it.
func drawRow(b *strings.Builder, row kernelFigures, top int, x func(float64) float64) {
	_, _ = fmt.Fprintf(b, `<text x="12" y="%d">%s</text>`+"\n", top+rowHeight/2+5, row.Name)
	for i, s := range series {
		f, y := row.Ratios[s.key], top+8+i*8
		_, _ = fmt.Fprintf(b, `<line class="s%d" x1="%v" x2="%v" y1="%d" y2="%d"/>`, i, x(f.Low), x(f.High), y, y)
		_, _ = fmt.Fprintf(b, `<circle class="s%d" cx="%v" cy="%d" r="3.5"/>`+"\n", i, x(f.Median), y)
	}
}
