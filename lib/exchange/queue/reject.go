package queue

import (
	"fmt"
	"time"

	"plasm/lib/job"
)

func shuttingDown() *job.Rejection {
	return &job.Rejection{Code: job.RejectShuttingDown, Message: "this node is shutting down"}
}

func busy(retry time.Duration) *job.Rejection {
	return &job.Rejection{
		Code:         job.RejectBusy,
		Message:      "every slot is taken, and as many jobs wait as may",
		RetryAfterMS: milliseconds(retry),
	}
}

func expired(after time.Duration) *job.Rejection {
	return &job.Rejection{
		Code:    job.RejectExpired,
		Message: fmt.Sprintf("the job did not start within %v of being accepted", after),
	}
}

func rateLimited(c Client, retry time.Duration) *job.Rejection {
	who := "source " + c.Source
	if c.Listed {
		who = "requester " + c.Requester
	}
	return &job.Rejection{
		Code:         job.RejectRateLimited,
		Message:      "too many offers: " + who,
		RetryAfterMS: milliseconds(retry),
	}
}

func neverFits(c Client, need, have int64) *job.Rejection {
	whose := "this node gives its jobs"
	if !c.Listed {
		whose = "this node gives the jobs of requesters that are not on its list"
	}
	needs, has := job.Amounts(need<<20, have<<20)
	return &job.Rejection{
		Code:    job.RejectMemory,
		Message: fmt.Sprintf("the job needs %s of memory, and %s %s", needs, whose, has),
		Need:    need,
		Have:    have,
	}
}

// milliseconds rounds up: who waits so long has waited long enough.
func milliseconds(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
