package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/batch"
	"plasm/lib/job"
)

// node is the peer ID of the place in these tests.
const node = "12D3KooWE5iTWzHAT9H8TrUbFaDspm6wKFQQVF9B8Amo1viGeTyk"

// logged runs n items with a log, from the beginning or resumed, at one place.
func logged(t *testing.T, log string, resume bool, r *runner, n int64) outcome {
	t.Helper()
	l, err := batch.OpenLog(log, resume)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	f := &batch.Fleet{}
	f.Join(node, 2, 1)
	f.Settled()
	var notes strings.Builder
	got := run(t, batch.Config{Runner: r, Fleet: f, Log: l, Note: func(s string) { notes.WriteString(s + "\n") }},
		&numbers{n: n})
	got.stderr += notes.String()
	return got
}

func TestLogSaysWhatHappened(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	receipt := job.Sum([]byte("receipt"))
	r := &runner{attempt: func(_ context.Context, it *batch.Item, _ batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		started()
		if it.Index == 2 {
			return nil, &batch.Failure{Kind: batch.Final, Err: errors.New("no")}
		}
		result := exits(7, "")
		result.Receipt = receipt
		return result, nil
	}}
	logged(t, log, false, r, 2)
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(log)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	all := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(all) != 5 || all[0] != `{"version":"1"}` {
		t.Fatalf("%s", data)
	}
	for index, end := range map[int]string{
		1: fmt.Sprintf(`"event":"ended","time":"…","node":%q,"status":"exit","exit_code":7,"receipt":%q}`, node,
			receipt),
		2: fmt.Sprintf(`"event":"failed","time":"…","node":%q}`, node),
	} {
		head := fmt.Sprintf(`{"index":%d,"job":%q,"input":%q,`, index, r.runs[int64(index)][0].ID,
			job.Sum(fmt.Append(nil, index)))
		started := fmt.Sprintf(`"event":"started","time":"…","node":%q}`, node)
		text := withoutTimes(string(data))
		if at := strings.Index(text, head+started); at < 0 || !strings.Contains(text[at:], head+end) {
			t.Errorf("item %d: %s", index, data)
		}
	}
}

// withoutTimes puts an ellipsis in place of each time.
func withoutTimes(log string) string {
	const key, length = `"time":"`, len("2026-01-02T03:04:05.678Z")
	parts := strings.Split(log, key)
	for i := range parts[1:] {
		parts[i+1] = "…" + parts[i+1][length:]
	}
	return strings.Join(parts, key)
}

// TestLogCutAnywhere resumes from each length that a crash can leave of a log: what the
// log says has ended is not run again, what it says has started keeps its ID, and all is
// answered in the end.
func TestLogCutAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	const n = 3
	logged(t, whole, false, &runner{attempt: prompt}, n)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(data) + 1 {
		log := filepath.Join(dir, "cut")
		if err := os.WriteFile(log, data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		ended, started := map[int64]bool{}, map[int64]string{}
		if left := data[:bytes.LastIndexByte(data[:cut], '\n')+1]; len(left) > 0 {
			if err := batch.ReadLog(bytes.NewReader(left), func(e *batch.Entry) {
				ended[e.Index] = e.Event == batch.Ended
				started[e.Index] = e.Job
			}); err != nil {
				t.Fatal(err)
			}
		}
		r := &runner{attempt: prompt}
		got := logged(t, log, true, r, n)
		if got.err != nil || got.Succeeded != n || got.stderr != "" {
			t.Fatalf("cut at %d: %v, %+v, %s", cut, got.err, got.Summary, got.stderr)
		}
		for i := int64(1); i <= n; i++ {
			runs := r.runs[i]
			switch {
			case ended[i] && len(runs) != 0, !ended[i] && len(runs) != 1:
				t.Errorf("cut at %d: item %d ran %d times, ended %v", cut, i, len(runs), ended[i])
			case !ended[i] && started[i] != "" && runs[0].ID != started[i]:
				t.Errorf("cut at %d: item %d is job %s, not %s", cut, i, runs[0].ID, started[i])
			}
		}
		again := &runner{attempt: prompt}
		if got := logged(t, log, true, again, n); got.err != nil || len(again.runs) != 0 || got.Resumed != n {
			t.Errorf("cut at %d, once more: %v, %+v, %d runs", cut, got.err, got.Summary, len(again.runs))
		}
	}
}

func TestItemThatHasChangedIsANewJob(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	first := &runner{attempt: prompt}
	logged(t, log, false, first, 3)
	second := &runner{attempt: prompt, work: func(it *batch.Item) string {
		if it.Index == 2 {
			return "another"
		}
		return fmt.Sprint(it.Index)
	}}
	got := logged(t, log, true, second, 3)
	if got.err != nil || got.stdout != "2\n" ||
		got.stderr != "item 2 is not what it was when it was logged: it is a new job\n" ||
		second.runs[2][0].ID == first.runs[2][0].ID {
		t.Errorf("%v, %q, %q", got.err, got.stdout, got.stderr)
	}
}

// TestWhatFailedIsRunAgain as another job: what a node has of the failed one is of no use.
func TestWhatFailedIsRunAgain(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	first := &runner{attempt: func(context.Context, *batch.Item, batch.Attempt,
		func(),
	) (*batch.Result, *batch.Failure) {
		return nil, &batch.Failure{Kind: batch.Final, Err: errors.New("no")}
	}}
	logged(t, log, false, first, 1)
	second := &runner{attempt: prompt}
	got := logged(t, log, true, second, 1)
	if got.err != nil || got.stdout != "1\n" || second.runs[1][0].ID == first.runs[1][0].ID {
		t.Errorf("%v, %q, %v", got.err, got.stdout, second.runs)
	}
}

// TestEndedWithAnotherCodeStaysAFailure of the batch when it is resumed.
func TestEndedWithAnotherCodeStaysAFailure(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	logged(t, log, false,
		&runner{attempt: func(context.Context, *batch.Item, batch.Attempt, func()) (*batch.Result, *batch.Failure) {
			return exits(3, ""), nil
		}}, 1)
	again := &runner{attempt: prompt}
	if got := logged(t, log, true, again, 2); got.Failed != 1 || got.Succeeded != 1 || got.Resumed != 1 ||
		len(again.runs[1]) != 0 {
		t.Errorf("%+v", got.Summary)
	}
}

func TestLogsThatAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const head = `{"version":"1"}` + "\n"
	entry := `{"index":1,"job":"4f8c2e0b9d6a47135e8f0c1b2a3d4e5f","input":"` + string(job.EmptyDigest) +
		`","event":"ended","time":"2026-01-02T03:04:05.678Z"}` + "\n"
	for name, test := range map[string]struct {
		content string
		resume  bool
		want    string
		code    job.Code
	}{
		"not empty": {head, false, "is not empty", job.CodeUsage},
		"another version": {
			`{"version":"2"}` + "\n", true, `line 1: "{\"version\":\"2\"}" is not {"version":"1"}`,
			job.CodeBadManifest,
		},
		"no log":            {"hello\n", true, "line 1: ", job.CodeBadManifest},
		"a line of no JSON": {head + entry + "x\n", true, "line 3: bad JSON", job.CodeBadManifest},
		"an unknown event": {
			head + strings.Replace(entry, "ended", "begun", 1), true,
			`line 2: entry.event: "begun" is not one of`, job.CodeBadManifest,
		},
		"an unknown member": {
			head + strings.Replace(entry, `"job"`, `"x":1,"job"`, 1), true,
			"line 2: entry.x: unknown member", job.CodeBadManifest,
		},
		"no ID": {
			head + strings.Replace(entry, "4f8c", "4F8C", 1), true, "line 2: entry.job: ",
			job.CodeBadManifest,
		},
		"an endless line": {
			head + strings.Repeat("x", 20<<10) + "\n", true, "line 2: longer than 16384 bytes",
			job.CodeBadManifest,
		},
		"an unknown status": {
			head + strings.Replace(entry, `"time"`, `"status":"x","time"`, 1), true,
			"line 2: entry.status: ", job.CodeBadManifest,
		},
		"a node of no peers": {
			head + strings.Replace(entry, `"time"`, `"node":"x","time"`, 1), true,
			"line 2: entry.node: ", job.CodeBadManifest,
		},
	} {
		log := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(log, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := batch.OpenLog(log, test.resume)
		if err == nil {
			_ = l.Close()
		}
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != test.code || !strings.Contains(e.Message, test.want) || !strings.Contains(e.Message, log) {
			t.Errorf("%s: %v", name, err)
		}
		if data, err := os.ReadFile(log); err != nil || string(data) != test.content {
			t.Errorf("%s: it was changed: %v", name, err)
		}
	}
	for name, code := range map[string]job.Code{
		os.DevNull: job.CodeUsage, dir: job.CodeIO,
		filepath.Join(dir, "no", "log"): job.CodeNotFound,
	} {
		_, err := batch.OpenLog(name, true)
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLogIsLocked(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	first, err := batch.OpenLog(log, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := batch.OpenLog(log, true); err == nil ||
		!strings.Contains(err.Error(), "is in use by another command") {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	second, err := batch.OpenLog(log, true)
	if err != nil {
		t.Fatal(err)
	}
	_ = second.Close()
}

// TestLogOfOthersIsClosedToThem changes the mode of a file that all may read.
func TestLogOfOthersIsClosedToThem(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(log, 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := batch.OpenLog(log, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if info, err := os.Stat(log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
