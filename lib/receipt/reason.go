package receipt

import "fmt"

// Reason names the check that a receipt did not pass. It is the same word in
// every language.
type Reason string

// The reasons, in the order of their checks. BadJSON stands in two places: the
// envelope's and, after Untrusted, the payload's.
const (
	TooLarge           Reason = "too_large"           // an envelope of 1 MiB or more
	BadJSON            Reason = "bad_json"            // not in the JSON profile, or no envelope
	BadPayloadType     Reason = "bad_payload_type"    // not PayloadType
	BadBase64          Reason = "bad_base64"          // payload or a signature
	SignatureCount     Reason = "signature_count"     // none, or more than MaxSignatures
	DuplicateSignature Reason = "duplicate_signature" // two with the same bytes
	Untrusted          Reason = "untrusted"           // no signature verifies under a trusted key
	BadStatement       Reason = "bad_statement"       // the payload breaks a rule of the statement
	WrongSigner        Reason = "wrong_signer"        // node.peer_id is not a key that verified
	WrongModule        Reason = "module"              // another module than the caller's
	WrongManifest      Reason = "manifest"            // another manifest
	WrongStdin         Reason = "stdin"               // another input
	WrongStdout        Reason = "stdout"              // another output
	WrongStderr        Reason = "stderr"              // other diagnostics
	WrongDirs          Reason = "dirs"                // another folder, before or after
	MissingGuards      Reason = "guards"              // a required guard was not active
	WrongOutcome       Reason = "outcome"             // another status or exit code than expected
	WrongQuorum        Reason = "quorum"              // too few have signed the same
	NotRepeatable      Reason = "not_repeatable"      // this job cannot be run again here
	WrongRerun         Reason = "rerun"               // run again, it came out another way
)

// Part says what of a receipt a check looked at, where its Reason leaves that open.
type Part string

// The parts of a receipt.
const (
	Envelope Part = "envelope"
	Payload  Part = "payload"
)

// Check is one of the checks that make up a verdict.
type Check struct {
	Reason Reason
	Of     Part // Envelope or Payload for BadJSON, else ""
}

// Checks returns all checks in the order in which they run. The last three are neither
// Verify's nor Check's: CheckQuorum makes one, and who can run a job again the others.
func Checks() []Check {
	return []Check{
		{TooLarge, ""},
		{BadJSON, Envelope},
		{BadPayloadType, ""},
		{BadBase64, ""},
		{SignatureCount, ""},
		{DuplicateSignature, ""},
		{Untrusted, ""},
		{BadJSON, Payload},
		{BadStatement, ""},
		{WrongSigner, ""},
		{WrongModule, ""},
		{WrongManifest, ""},
		{WrongStdin, ""},
		{WrongStdout, ""},
		{WrongStderr, ""},
		{WrongDirs, ""},
		{MissingGuards, ""},
		{WrongOutcome, ""},
		{WrongQuorum, ""},
		{NotRepeatable, ""},
		{WrongRerun, ""},
	}
}

// RefusalError is the error of a receipt that did not pass a check.
type RefusalError struct {
	Reason Reason
	Of     Part   // Envelope or Payload for BadJSON, else ""
	Detail string // one line; what it quotes of the receipt is cut and escaped
}

// Error returns reason and detail in one line.
func (r *RefusalError) Error() string { return string(r.Reason) + ": " + r.Detail }

func refuse(reason Reason, format string, args ...any) error {
	return &RefusalError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
