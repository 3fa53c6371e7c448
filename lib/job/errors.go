package job

import (
	"errors"
	"fmt"
	"slices"
)

// Code names the kind of an Error, for programs.
type Code string

// The codes, a closed set.
const (
	CodeUsage         Code = "usage"          // wrong use of a command
	CodeUnsupported   Code = "unsupported"    // asked for what this build, or this machine, cannot do
	CodeNotFound      Code = "not_found"      // a file that is not there
	CodeBadManifest   Code = "bad_manifest"   // a manifest, job or result document that breaks a rule
	CodeBadModule     Code = "bad_module"     // not a module that can be run
	CodeModuleRefused Code = "module_refused" // a module beyond a static limit
	CodeCompileLimit  Code = "compile_limit"  // compiling took too long or too much
	CodeBadKey        Code = "bad_key"        // a key that cannot be read, or that others can
	CodeIO            Code = "io"             // reading or writing went wrong
	CodeGuards        Code = "guards"         // a required guard is not there
	CodeNoNode        Code = "no_node"        // nobody trusted and fitting was found
	CodeRefused       Code = "refused"        // every node refused
	CodeDeadline      Code = "deadline"       // the command's own deadline passed
	CodeUnverified    Code = "unverified"     // a result came that does not verify
	CodeDisagreement  Code = "disagreement"   // nodes have signed different outcomes of one job
	CodeCancelled     Code = "cancelled"      // stopped by a signal before the job started
	CodeInternal      Code = "internal"       // a defect of plasm, or something that this machine refused it
)

// Error is an error as a user meets it: one line of what is wrong, naming the
// value, and, where there is something to do about it, a hint.
type Error struct {
	Code    Code
	Message string // lower case, no full stop
	Hint    string // "" when there is nothing to say, or the commands say it by Fact
	Fact    Fact   // what the commands have advice for, or ""; not written into documents
	Detail  string // what that advice needs to know, or ""
	Err     error  // what it came from, or nil; not written into documents

	Nodes []NodeRejection // what each node that was asked said, or nil
	Brief string          // the message for who has read Nodes, "" for Message; not written into documents
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the error that e came from.
func (e *Error) Unwrap() error { return e.Err }

func codes() []Code { return Column(CodeWords(), func(w CodeWord) Code { return w.Code }) }

// Valid reports whether c is one of the codes.
func (c Code) Valid() bool { return slices.Contains(codes(), c) }

// errorDocument is {"error":{…}}.
type errorDocument struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    Code            `json:"code"`
	Message string          `json:"message"`
	Hint    string          `json:"hint,omitempty"`
	Nodes   []NodeRejection `json:"nodes,omitempty"`
}

// EncodeError writes e as an error document, which ends with a newline. A code
// outside the closed set is written as CodeInternal, an empty message as the
// code, bytes that are not UTF-8 as U+FFFD.
func EncodeError(e *Error) []byte {
	body := errorBody{Code: e.Code, Message: e.Message, Hint: e.Hint, Nodes: e.Nodes}
	if !body.Code.Valid() {
		body.Code = CodeInternal
	}
	if body.Message == "" {
		body.Message = string(body.Code)
	}
	return append(encode(errorDocument{body}), '\n')
}

// DecodeError reads an error document of at most MaxErrorDoc bytes. What comes
// back as error is an *Error with CodeBadManifest.
func DecodeError(data []byte) (*Error, error) {
	if len(data) > MaxErrorDoc {
		return nil, badDocument(tooLarge("error document", len(data), MaxErrorDoc))
	}
	v, err := Parse(data)
	if err != nil {
		return nil, badDocument(fmt.Errorf("error document: %w", err))
	}
	doc := NewFields(v, "document")
	f := doc.Object("error")
	e := &Error{Code: Code(f.OneOf("code", texts(codes())...)), Message: f.nonEmpty("message")}
	e.Hint = f.optNonEmpty("hint")
	for _, n := range f.OptObjects("nodes") {
		e.Nodes = append(e.Nodes, nodeRejectionFrom(n))
	}
	if err := doc.Close(); err != nil {
		return nil, badDocument(err)
	}
	return e, nil
}

// ioError is an *Error for err, which stopped doing.
func ioError(doing string, err error) error {
	return &Error{Code: CodeIO, Message: doing + ": " + err.Error(), Err: err}
}

// badDocument makes err, unless it is an *Error already, one with CodeBadManifest.
func badDocument(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeBadManifest, Message: err.Error(), Err: err}
}

// tooLarge is the error for n bytes where limit are allowed.
func tooLarge(path string, n, limit int) error {
	return &FieldError{Path: path, Problem: fmt.Sprintf("%d bytes, more than the %d allowed", n, limit)}
}

// tooMuch is the error for a stream of which limit bytes are allowed.
func tooMuch(path string, limit int64) error {
	return &FieldError{Path: path, Problem: fmt.Sprintf("more than the %d bytes allowed", limit)}
}
