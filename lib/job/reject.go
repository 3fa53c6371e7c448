package job

import "slices"

// RejectCode says why a node doesn't take a job.
type RejectCode string

// The codes of a rejection, a closed set, by what a requester does about them.
const (
	// Try another node.
	RejectMemory         RejectCode = "memory"
	RejectCPUCores       RejectCode = "cpu_cores"
	RejectArch           RejectCode = "arch"
	RejectEngine         RejectCode = "engine"
	RejectGuards         RejectCode = "guards"
	RejectTimeout        RejectCode = "timeout"
	RejectModuleTooLarge RejectCode = "module_too_large"
	RejectInputTooLarge  RejectCode = "input_too_large"
	RejectOutputTooLarge RejectCode = "output_too_large"
	RejectTreeTooLarge   RejectCode = "tree_too_large"
	RejectDisk           RejectCode = "disk"
	RejectNotAllowed     RejectCode = "not_allowed"
	RejectCompileLimit   RejectCode = "compile_limit"
	RejectRelayLimited   RejectCode = "relay_limited"
	RejectUnreachable    RejectCode = "unreachable" // made by the requester: no node says so
	RejectExpired        RejectCode = "expired"
	RejectInternal       RejectCode = "internal"
	RejectShuttingDown   RejectCode = "shutting_down"

	// Try the same node later.
	RejectBusy        RejectCode = "busy"
	RejectRateLimited RejectCode = "rate_limited"

	// Give up: no node will take it.
	RejectBadManifest   RejectCode = "bad_manifest"
	RejectBadModule     RejectCode = "bad_module"
	RejectModuleRefused RejectCode = "module_refused"
	RejectHashMismatch  RejectCode = "hash_mismatch"
	RejectConflict      RejectCode = "conflict"
	RejectUnknownJob    RejectCode = "unknown_job" // of an offer to attach only
)

func rejectCodes() []RejectCode {
	return Column(RejectWords(), func(w RejectWord) RejectCode { return w.Code })
}

// Valid reports whether c is one of the codes.
func (c RejectCode) Valid() bool { return slices.Contains(rejectCodes(), c) }

// Rejection is a node's answer that it doesn't take a job. Need and Have are
// int64 for an amount, in the unit of what Code names (memory_mb, cpu_cores,
// timeout_ms, bytes), string for a name or a list with commas, nil when there is
// nothing to say.
type Rejection struct {
	Code    RejectCode `json:"code"`
	Message string     `json:"message"`
	Need    Value      `json:"need,omitempty"` // what the job asks for
	Have    Value      `json:"have,omitempty"` // what the node can give
	// 1 to MaxSafeInt milliseconds; 0 when the node doesn't say
	RetryAfterMS int64 `json:"retry_after_ms,omitempty"`
}

// NodeRejection is the answer of one of several nodes.
type NodeRejection struct {
	PeerID    string    `json:"peer_id"`        // as libp2p prints it: 12D3KooW…
	Addr      string    `json:"addr,omitempty"` // the multiaddress it was asked at
	Rejection Rejection `json:"rejection"`
}

func nodeRejectionFrom(f *Fields) NodeRejection {
	return NodeRejection{
		PeerID:    f.PeerID("peer_id"),
		Addr:      f.optAddr("addr"),
		Rejection: rejectionFrom(f.Object("rejection")),
	}
}

// optAddr is a multiaddress that may be absent; whether its parts make sense is
// for the network to say.
func (f *Fields) optAddr(name string) string {
	s := f.optNonEmpty(name)
	if s != "" && (s[0] != '/' || len(s) < 2) {
		f.Fail(name, "%s is not a multiaddress", Quote(s))
	}
	return s
}

func rejectionFrom(f *Fields) Rejection {
	return Rejection{
		Code:         RejectCode(f.OneOf("code", texts(rejectCodes())...)),
		Message:      f.nonEmpty("message"),
		Need:         f.optAmount("need"),
		Have:         f.optAmount("have"),
		RetryAfterMS: f.IntOr("retry_after_ms", 0, 1, MaxSafeInt),
	}
}

// optAmount is an integer from 0, or a string, or nil when it is absent.
func (f *Fields) optAmount(name string) Value {
	v, ok := f.Opt(name)
	if !ok {
		return nil
	}
	if _, ok := v.(string); ok {
		return f.nonEmpty(name)
	}
	return f.Int(name, 0, MaxSafeInt)
}
