package wire

import (
	"errors"
	"fmt"
)

// Rule names a rule of the protocol.
type Rule string

// The rules, a closed set.
const (
	RuleKind      Rule = "kind"      // the kind exists, and this end sends it
	RuleLength    Rule = "length"    // the length is in its shortest form and within its kind's bounds
	RuleTurn      Rule = "turn"      // the frame may come now
	RulePayload   Rule = "payload"   // the payload is what its kind says
	RuleSize      Rule = "size"      // a stream has as many bytes as was said
	RuleSignature Rule = "signature" // the requester signed this offer, for this node and this connection
)

// BreachError says that an end broke the protocol.
type BreachError struct {
	Rule   Rule
	Detail string // one line, safe to show
}

// Error returns rule and detail in one line.
func (e *BreachError) Error() string {
	return fmt.Sprintf("protocol broken (%s): %s", e.Rule, e.Detail)
}

func breach(rule Rule, format string, args ...any) error {
	return &BreachError{Rule: rule, Detail: fmt.Sprintf(format, args...)}
}

// ErrLost says that the connection is of no more use: there was silence, or the
// stream broke or ended where it must not.
var ErrLost = errors.New("connection lost")

// ErrClosed says that this end closed the connection itself.
var ErrClosed = errors.New("connection closed")

// lost makes an ErrLost of its cause.
func lost(cause error) error {
	if errors.Is(cause, ErrLost) {
		return cause
	}
	return fmt.Errorf("%w: %w", ErrLost, cause)
}
