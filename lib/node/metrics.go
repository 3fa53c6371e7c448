package node

import (
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"plasm/lib/exchange/queue"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/sandbox"
	"plasm/lib/store"
)

// Metrics are what a node counts. Every series is there from the start, at 0, so
// that a query finds it before anything has happened.
type Metrics struct {
	Offers      *prometheus.CounterVec // outcome: accepted, or the code of the rejection
	Jobs        *prometheus.CounterVec // status: how it ended
	WaitSeconds prometheus.Histogram   // from offer to start
	JobSeconds  prometheus.Histogram   // from start to end
	Bytes       *prometheus.CounterVec // stream: tree, blob, module, stdin, stdout, stderr, folders

	registry *prometheus.Registry
	ended    atomic.Int64 // jobs that started and ended
}

// newMetrics returns metrics in a registry of their own, with those of the Go
// runtime and the process.
func newMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		Offers: counters("plasm_offers_total", "Offers of jobs, by what became of them: accepted, or why not.",
			"outcome", append([]string{"accepted"}, rejections()...)),
		Jobs: counters("plasm_jobs_total", "Jobs that started and ended, by how they ended.", "status",
			statuses()),
		WaitSeconds: durations("plasm_job_wait_seconds", "From a job's offer to its start."),
		JobSeconds:  durations("plasm_job_duration_seconds", "From a job's start to its end."),
		Bytes: counters("plasm_job_bytes_total",
			"Bytes of jobs received (tree, blob, module, stdin) and sent (stdout, stderr, folders).",
			"stream", []string{"tree", "blob", "module", "stdin", "stdout", "stderr", "folders"}),
	}
	m.registry.MustRegister(
		m.Offers, m.Jobs, m.WaitSeconds, m.JobSeconds, m.Bytes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// watch adds what the host knows.
func (m *Metrics) watch(h *network.Host) {
	m.gauge("plasm_peers", "Peers that are connected.", func() int { return len(h.Network().Peers()) })
	m.gauge("plasm_dht_peers", "Peers in the routing table.", h.TableSize)
	m.gauge("plasm_relay_reservations", "Relays that hold a reservation for this node.",
		func() int { return len(h.Relays()) })
}

// watchQueue adds what the queue knows.
func (m *Metrics) watchQueue(q *queue.Queue) {
	m.gauge("plasm_jobs_queued", "Jobs that wait for a slot.", func() int { return q.Stats().Waiting })
	m.gauge("plasm_jobs_running", "Jobs that have a worker.", func() int { return q.Stats().Running })
	m.gauge("plasm_slots_free", "Slots that nobody holds.", func() int { return q.Stats().FreeSlots })
	m.gauge("plasm_memory_held_megabytes", "Memory that jobs have been promised, in units of 2^20 bytes.",
		func() int { return int(q.Stats().UsedMemoryMB) })
}

// watchWorkers adds what the supervisor knows.
func (m *Metrics) watchWorkers(s *sandbox.Supervisor) {
	m.gauge("plasm_workers_spare", "Workers that wait for a job, those that are being started included.", s.Spare)
}

// watchStore adds what the store knows.
func (m *Metrics) watchStore(s *store.Store) {
	for what, bytes := range map[string]func() int64{
		"content": func() int64 { content, _ := s.Usage(); return content.Bytes },
		"jobs":    func() int64 { _, jobs := s.Usage(); return jobs.Bytes },
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "plasm_stored_bytes",
			Help:        "What is charged for what is kept, reservations of running jobs included.",
			ConstLabels: prometheus.Labels{"what": what},
		}, func() float64 { return float64(bytes()) }))
	}
}

// gauge adds a value that is asked for when somebody wants to know it.
func (m *Metrics) gauge(name, help string, value func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
		func() float64 { return float64(value()) }))
}

// counters returns a counter for each value of one label.
func counters(name, help, label string, values []string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	for _, v := range values {
		c.WithLabelValues(v)
	}
	return c
}

// durations returns a histogram from a millisecond to more than an hour.
func durations(name, help string) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: name, Help: help,
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 12),
	})
}

// statuses are the values of a label: how jobs end.
func statuses() []string {
	return job.Column(job.StatusWords(), func(w job.StatusWord) string { return w.Name })
}

// rejections are the values of a label: what a node answers that does not take a job.
func rejections() []string {
	said := slices.DeleteFunc(job.RejectWords(), func(w job.RejectWord) bool { return w.Own })
	return job.Column(said, func(w job.RejectWord) string { return w.Name })
}
