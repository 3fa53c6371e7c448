package page

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"plasm/lib/job"
)

// Size of a plot, in units of SVG's.
const (
	plotWidth  = 360
	plotHeight = 72
	plotTop    = 4 // above the highest value, for the width of the line
)

// plot is one value over the last hour.
type plot struct {
	Name  string // of its file, without .svg
	Title string
	Says  string // what it shows, in words
	most  int64  // the value at its top
	at    []time.Time
	value []int64 // from the moment with the same index to the next
	bars  bool    // values are amounts between two moments: each is a bar that ends at its own
}

// plots are those of a page.
func plots(v *View) []*plot {
	n, load := &v.Status.Node, &v.Status.Load
	of := *v
	of.History = append(slices.Clip(v.History), Sample{
		At: v.Now, Slots: load.Running + load.Reserved,
		Waiting: load.Waiting, MemoryMB: load.MemoryMB,
	})
	v = &of
	slots := series(v, "slots", "Slots held", func(s *Sample) int64 { return int64(s.Slots) })
	slots.scale(n.Slots.Total)
	slots.Says = fmt.Sprintf("%d now, at most %d of %d in the last hour", slots.now(), slots.highest(), n.Slots.Total)
	waiting := series(v, "waiting", "Jobs that wait", func(s *Sample) int64 { return int64(s.Waiting) })
	waiting.Says = fmt.Sprintf("%d now, at most %d in the last hour", waiting.now(), waiting.highest())
	memory := series(v, "memory", "Memory held", func(s *Sample) int64 { return s.MemoryMB })
	memory.scale(n.MemoryMB)
	memory.Says = fmt.Sprintf("%s now, at most %s of %s in the last hour", job.Roughly(memory.now()<<20),
		job.Roughly(memory.highest()<<20), job.Roughly(n.MemoryMB<<20))
	jobs := perMinute(v)
	jobs.Says = fmt.Sprintf("%d in the last hour, at most %d in a minute", jobs.sum(), jobs.highest())
	return []*plot{slots, waiting, memory, jobs}
}

// series is one value of all samples.
func series(v *View, name, title string, value func(*Sample) int64) *plot {
	p := &plot{Name: name, Title: title}
	for i := range v.History {
		p.at = append(p.at, v.History[i].At)
		p.value = append(p.value, value(&v.History[i]))
	}
	p.scale(p.highest())
	return p
}

// perMinute is how many jobs ended in each minute.
func perMinute(v *View) *plot {
	const minutes = int64(Span / time.Minute)
	p := &plot{Name: "jobs", Title: "Jobs ended", bars: true, value: make([]int64, minutes)}
	begin := v.Now.Add(-Span)
	for i := range minutes {
		p.at = append(p.at, begin.Add(time.Duration(i+1)*time.Minute))
	}
	for i := range v.History {
		if s := &v.History[i]; s.At.After(begin) && !s.At.After(v.Now) {
			p.value[min(int64(s.At.Sub(begin)/time.Minute), minutes-1)] += s.Ended
		}
	}
	p.scale(p.highest())
	return p
}

func (p *plot) scale(most int64) { p.most = max(most, 1) }

func (p *plot) now() int64 { return p.value[len(p.value)-1] }

func (p *plot) highest() (most int64) {
	for _, v := range p.value {
		most = max(most, v)
	}
	return most
}

func (p *plot) sum() (sum int64) {
	for _, v := range p.value {
		sum += v
	}
	return sum
}

// colours of a plot: they are in the image, which no style sheet reaches.
type colours struct{ line, fill, axis string }

func coloursOf(dark bool) colours {
	if dark {
		return colours{"#7cc4ff", "#1f4361", "#555f69"}
	}
	return colours{"#0b62a8", "#cfe4f6", "#a6b0ba"}
}

// draw returns the plot as an SVG image whose right edge is now. All in it are numbers
// and words of ours.
func (p *plot) draw(now time.Time, dark bool) []byte {
	c := coloursOf(dark)
	var out bytes.Buffer
	fmt.Fprintf(&out,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img"><title>%s: `+
			`%s</title>`,
		plotWidth, plotHeight, plotWidth, plotHeight, p.Title, p.Says)
	for quarter := range 5 {
		x := quarter * plotWidth / 4
		fmt.Fprintf(&out, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="1" stroke-dasharray="2 4"/>`,
			x, plotTop, x, plotHeight-1, c.axis)
	}
	if p.bars {
		p.drawBars(&out, now, c)
	} else {
		p.drawSteps(&out, now, c)
	}
	fmt.Fprintf(&out, `<line x1="0" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="1"/></svg>`, plotHeight-1,
		plotWidth, plotHeight-1, c.axis)
	return out.Bytes()
}

// x is where a moment is, and y where a value is.
func x(now, at time.Time) float64 {
	return min(max(plotWidth*(1-float64(now.Sub(at))/float64(Span)), 0), plotWidth)
}

func (p *plot) y(value int64) float64 {
	const height = plotHeight - 1 - plotTop
	return plotTop + height*(1-float64(min(value, p.most))/float64(p.most))
}

// drawSteps draws a value that holds until the next moment.
func (p *plot) drawSteps(out *bytes.Buffer, now time.Time, c colours) {
	var path bytes.Buffer
	for i, at := range p.at {
		end := now
		if i+1 < len(p.at) {
			end = p.at[i+1]
		}
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1fH%.1f", verb, x(now, at), p.y(p.value[i]), x(now, end))
	}
	fmt.Fprintf(out, `<path d="%sV%dH%.1fZ" fill="%s"/>`, path.Bytes(), plotHeight-1, x(now, p.at[0]), c.fill)
	fmt.Fprintf(out, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`, path.Bytes(), c.line)
}

// drawBars draws an amount of each time before a moment.
func (p *plot) drawBars(out *bytes.Buffer, now time.Time, c colours) {
	const width = float64(plotWidth) / float64(Span/time.Minute)
	for i, at := range p.at {
		if p.value[i] == 0 {
			continue
		}
		top := p.y(p.value[i])
		fmt.Fprintf(out, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, x(now, at)-width, top,
			width-1, plotHeight-1-top, c.line)
	}
}
