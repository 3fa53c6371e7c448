package store

import (
	"context"
	"io"
	"strings"

	"plasm/lib/job"
)

// scenario does about everything that a store does, with two jobs' room for
// unlisted requesters, so that the third pushes the first out. It goes on after
// errors. finished is told of each job whose Finish said that it is kept, and
// failed of each error.
func scenario(s *Store, finished func(Request), failed func(error)) {
	ended := func(r Request, end func(j *Job, run *Run) error) {
		j, run, err := s.Accept(r)
		if err != nil {
			failed(err)
			return
		}
		defer j.Close()
		if run == nil {
			return // kept from before
		}
		defer run.Forget(nil)
		for _, spool := range []*Spool{j.Stdin(), j.Stdout(), j.Stderr(), j.Stdout(), j.Folders()} {
			if spool == nil {
				continue
			}
			if _, err := io.WriteString(spool, outputOf(r)); err != nil {
				failed(err)
				return
			}
		}
		if err := end(j, run); err != nil {
			failed(err)
		}
	}
	keep := func(r Request) {
		ended(r, func(_ *Job, run *Run) error {
			err := run.Finish([]byte(receiptOf(r)))
			if err == nil {
				finished(r)
			}
			return err
		})
	}
	module := []byte(strings.Repeat("module", 100))
	keep(request(1, 1))
	ended(request(1, 2), func(_ *Job, run *Run) error {
		run.Forget([]byte("cancelled"))
		return nil
	})
	useModule := func(m *Module, err error) {
		if err == nil {
			_, err = m.Load()
			m.Close()
		}
		if err != nil {
			failed(err)
		}
	}
	useModule(upload(s, 1, module))
	if m, ok, err := s.Module(peer(1), job.Sum(module)); ok {
		useModule(m, err)
	}
	useModule(upload(s, 3, []byte("another")))
	for range 2 { // the second finds it
		if p, err := pack(s, "content of a file"); err != nil {
			failed(err)
		} else {
			p.Close()
		}
	}
	keep(withFolders())
	keep(request(3, 4)) // 1 goes
	if j, ok, err := s.Find(peer(1), id(3)); err != nil {
		failed(err)
	} else if ok {
		if _, err := io.ReadAll(j.Stdout().Follow(context.Background(), 0)); err != nil {
			failed(err)
		}
		j.Close()
	}
}

// withFolders is the job of the scenario that leaves folders.
func withFolders() Request {
	r := request(1, 3)
	r.Scratch, r.Folders = 10, 50
	return r
}

// scenarioConfig are the bounds that scenario is made for.
func scenarioConfig(dir string) Config { return Config{Dir: dir, Jobs: 4, Contents: 3} }

func outputOf(r Request) string  { return "out " + r.ID[28:] }
func receiptOf(r Request) string { return "receipt of " + r.Requester + r.ID }
