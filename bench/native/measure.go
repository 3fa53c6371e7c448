package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// fewest is how many rounds there are at least.
const fewest = 3

// sample is what one run took, in seconds.
type sample struct{ cpu, wall float64 }

// round has the samples of one round, by kernel and way.
type round map[string]map[string]sample

// once runs a kernel in one way, and returns what it took and printed.
func (h *house) once(ctx context.Context, w way, k kernel, rounds int) (sample, string, error) {
	var out, errs bytes.Buffer
	cmd := h.command(ctx, w, k, strconv.Itoa(rounds))
	cmd.Stdout, cmd.Stderr = &out, &errs
	begun := time.Now()
	err := cmd.Run()
	wall := time.Since(begun)
	if err != nil {
		return sample{}, "", fmt.Errorf("%s, %s: %w: %s%s", k.name, w.name, err, out.Bytes(), errs.Bytes())
	}
	// What the process's own children took, once it has waited for them, is in these.
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if cpu <= 0 {
		return sample{}, "", fmt.Errorf("%s, %s: it took no time that this system can measure", k.name, w.name)
	}
	return sample{cpu.Seconds(), wall.Seconds()}, strings.TrimSpace(out.String()), nil
}

// check runs every kernel in every way and compares what it prints. It leaves every
// module compiled.
func (h *house) check(ctx context.Context, stdout io.Writer) error {
	for _, k := range h.kernels {
		for _, w := range ways {
			_, out, err := h.once(ctx, w, k, k.quick)
			if err != nil {
				return err
			}
			if out != k.output {
				return fmt.Errorf("%s, %s: %d rounds give %q, and %q is right", k.name, w.name, k.quick, out, k.output)
			}
		}
	}
	_, _ = fmt.Fprintf(stdout, "every output is right: kernels: %d, ways: %d\n", len(h.kernels), len(ways))
	return nil
}

// rounds measures for as long as there is time for one more.
func (h *house) rounds(ctx context.Context, until time.Time, stdout io.Writer) ([]round, error) {
	var all []round
	for begun := time.Now(); ; {
		r, err := h.round(ctx, len(all))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
		each := time.Since(begun) / time.Duration(len(all))
		_, _ = fmt.Fprintf(stdout, "round %d: %v\n", len(all), each.Round(time.Second))
		if len(all) >= fewest && time.Now().Add(each).After(until) {
			return all, nil
		}
	}
}

// round runs every kernel in every way, each time beginning with another one.
func (h *house) round(ctx context.Context, n int) (round, error) {
	r := round{}
	for _, k := range h.kernels {
		r[k.name] = map[string]sample{}
		printed := map[int]string{} // by part
		for i := range ways {
			w := ways[(i+n)%len(ways)]
			s, out, err := h.once(ctx, w, k, k.job/w.part)
			if err != nil {
				return nil, err
			}
			if before, ok := printed[w.part]; ok && before != out {
				return nil, fmt.Errorf("%s, %s: %d rounds give %q, and another way %q", k.name, w.name, k.job/w.part,
					out, before)
			}
			printed[w.part] = out
			r[k.name][w.name] = s
		}
	}
	return r, nil
}
