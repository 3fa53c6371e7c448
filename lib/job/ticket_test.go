package job_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// FuzzDecodeTicket: what is read is written, and read again, as it is.
func FuzzDecodeTicket(f *testing.F) {
	seed(f, "ticket")
	f.Fuzz(func(t *testing.T, data []byte) {
		ticket, err := job.DecodeTicket(data)
		if err != nil {
			return
		}
		again, err := job.DecodeTicket(ticket.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ticket, again); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNoTicket(t *testing.T) {
	t.Parallel()
	for _, data := range [][]byte{
		bytes.Repeat([]byte(" "), job.MaxTicket+1), bytes.Repeat([]byte("["), job.MaxTicket),
		[]byte(`{"version":"1"`), []byte(`{} {}`),
	} {
		if _, err := job.DecodeTicket(data); err == nil {
			t.Errorf("%d bytes of %q are a ticket", len(data), data[:1])
		}
	}
}
