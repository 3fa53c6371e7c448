package receipt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// statementDocument is a Statement as it is written.
type statementDocument struct {
	Type          string            `json:"_type"`
	Subject       []subjectDocument `json:"subject"`
	PredicateType string            `json:"predicateType"`
	Predicate     predicateDocument `json:"predicate"`
}

type subjectDocument struct {
	Name   string         `json:"name"`
	Digest digestDocument `json:"digest"`
}

type digestDocument struct {
	SHA256 string `json:"sha256"`
}

type predicateDocument struct {
	Manifest   json.RawMessage `json:"manifest"`
	Requester  string          `json:"requester,omitempty"`
	Outcome    *job.Outcome    `json:"outcome"`
	Node       Node            `json:"node"`
	StartedAt  string          `json:"started_at"`
	FinishedAt string          `json:"finished_at"`
}

// Encode returns the statement as the payload of an envelope, in one line
// without an end of line. It refuses what Decode would refuse to read, and text
// that JSON cannot carry unchanged.
func (s *Statement) Encode() ([]byte, error) {
	if s.Manifest == nil || s.Outcome == nil || !s.Stdout.Valid() || !s.Stderr.Valid() {
		return nil, errors.New("statement: without manifest, outcome, stdout or stderr")
	}
	if err := s.Manifest.Validate(); err != nil { // that its text is UTF-8, too
		return nil, fmt.Errorf("statement: %w", err)
	}
	node := s.Node
	node.Guards = append([]string{}, node.Guards...) // never null
	doc := statementDocument{
		Type:          StatementType,
		Subject:       s.subjects(),
		PredicateType: PredicateType,
		Predicate: predicateDocument{
			Manifest: s.Manifest.Encode(), Requester: s.Requester, Outcome: s.Outcome, Node: node,
			StartedAt: job.FormatTime(s.StartedAt), FinishedAt: job.FormatTime(s.FinishedAt),
		},
	}
	payload, err := compact(doc)
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	if _, err := Decode(payload); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	return payload, nil
}

// subjects are the streams, then the folders by their paths in the guest.
func (s *Statement) subjects() []subjectDocument {
	list := make([]subjectDocument, 0, 2+len(s.Outcome.Dirs))
	list = append(list,
		subjectDocument{Name: "stdout", Digest: digestDocument{s.Stdout.Hex()}},
		subjectDocument{Name: "stderr", Digest: digestDocument{s.Stderr.Hex()}})
	for _, d := range s.Outcome.Dirs {
		list = append(list, subjectDocument{Name: d.Guest, Digest: digestDocument{d.Tree.Hex()}})
	}
	return list
}

// compact writes v as JSON in one line. It leaves < > & as they are, which keeps
// a manifest full of them within an envelope's size.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Decode reads a statement. It is strict, as everything about signed bytes must
// be: two readers that made different sense of one payload would be two
// verdicts. An error is a *job.SyntaxError when payload is not in the JSON
// profile, else it says which field breaks which rule.
func Decode(payload []byte) (*Statement, error) {
	v, err := job.Parse(payload)
	if err != nil {
		return nil, err
	}
	f := job.NewFields(v, "statement")
	s := &Statement{}
	f.OneOf("_type", StatementType)
	subjects := subjectsFrom(f)
	f.OneOf("predicateType", PredicateType)
	p := f.Object("predicate")
	manifest, outcome := p.Value("manifest"), p.Value("outcome")
	if p.Has("requester") {
		s.Requester = peerID(p, "requester")
	}
	s.Node = node(p.Object("node"))
	s.StartedAt, s.FinishedAt = p.Time("started_at"), p.Time("finished_at")
	if err := f.Close(); err != nil {
		return nil, err
	}
	if s.Manifest, err = job.ManifestFromValue(manifest, "statement.predicate.manifest"); err != nil {
		return nil, err
	}
	if s.Outcome, err = job.OutcomeFromValue(outcome, "statement.predicate.outcome"); err != nil {
		return nil, err
	}
	s.Stdout, s.Stderr = subjects[0].Digest, subjects[1].Digest
	if err := s.checkDirs(subjects[2:]); err != nil {
		return nil, err
	}
	return s, nil
}

// subject is the name of something, and its digest.
type subject struct {
	Name   string
	Digest job.Digest
}

// subjectsFrom reads the subjects, of which stdout and stderr are the first.
func subjectsFrom(f *job.Fields) []subject {
	list := f.Objects("subject")
	if f.Err() == nil && len(list) < 2 {
		f.Fail("subject", "has %d elements, not stdout and stderr", len(list))
	}
	subjects := make([]subject, 0, len(list))
	for i, e := range list {
		var s subject
		switch i {
		case 0:
			s.Name = e.OneOf("name", "stdout")
		case 1:
			s.Name = e.OneOf("name", "stderr")
		default:
			s.Name = e.Str("name")
		}
		s.Digest = subjectDigest(e)
		subjects = append(subjects, s)
	}
	return subjects
}

// checkDirs holds the outcome's folders to the subjects behind the streams, and to the
// folders of the manifest.
func (s *Statement) checkDirs(subjects []subject) error {
	fail := func(name, format string, args ...any) error {
		return &job.FieldError{Path: "statement." + name, Problem: fmt.Sprintf(format, args...)}
	}
	dirs := s.Outcome.Dirs
	if len(subjects) != len(dirs) {
		return fail("subject", "has %d elements, not stdout, stderr and the %d of outcome.dirs", len(subjects)+2,
			len(dirs))
	}
	outputs := s.Manifest.Outputs()
	if len(dirs) > 0 && len(dirs) != len(outputs) {
		return fail("predicate.outcome.dirs", "has %d elements, where the manifest has %d folders to write",
			len(dirs), len(outputs))
	}
	for i, d := range dirs {
		name := "subject[" + strconv.Itoa(i+2) + "]"
		switch {
		case d.Guest != outputs[i].Guest:
			return fail(fmt.Sprintf("predicate.outcome.dirs[%d].guest", i),
				"%s is not one of %s", job.Quote(d.Guest), job.Quote(outputs[i].Guest))
		case subjects[i].Name != d.Guest:
			return fail(name+".name", "%s is not one of %s", job.Quote(subjects[i].Name), job.Quote(d.Guest))
		case subjects[i].Digest != d.Tree:
			return fail(name+".digest.sha256", "goes with outcome.dirs, where it is %s", d.Tree)
		}
	}
	return nil
}

func subjectDigest(f *job.Fields) job.Digest {
	d := f.Object("digest")
	digits := d.Str("sha256")
	digest := job.Digest("sha256:" + digits)
	if !digest.Valid() {
		d.Fail("sha256", "%s is not 64 lower-case hex digits", job.Quote(digits))
	}
	return digest
}

func node(f *job.Fields) Node {
	n := Node{
		PeerID: peerID(f, "peer_id"), Version: text(f, "version"), OS: name(f, "os", ""),
		Arch: name(f, "arch", ""),
	}
	e := f.Object("engine")
	n.Engine = Engine{Name: name(e, "name", "-"), Version: text(e, "version")}
	n.Guards = f.Strs("guards")
	for i, g := range n.Guards {
		if !job.ValidGuard(g) {
			f.Fail("guards", "%s is not one of %s", job.Quote(g), strings.Join(job.Guards(), ", "))
		}
		if slices.Contains(n.Guards[:i], g) {
			f.Fail("guards", "%s is there twice", job.Quote(g))
		}
	}
	return n
}

// peerID reads a member that is a peer ID.
func peerID(f *job.Fields, name string) string {
	id := f.Str(name)
	if _, err := identity.ParsePeerID(id); err != nil {
		f.Fail(name, "%v", err)
	}
	return id
}

// text reads a member that is a string and not empty.
func text(f *job.Fields, name string) string {
	s := f.Str(name)
	if s == "" {
		f.Fail(name, "must not be empty")
	}
	return s
}

// name reads a member that is 1 to 32 of a-z, 0-9 and what extra has.
func name(f *job.Fields, member, extra string) string {
	s := f.Str(member)
	other := strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789"+extra)
	if s == "" || len(s) > 32 || other != "" {
		f.Fail(member, "%s is not 1 to 32 of %s", job.Quote(s), strings.TrimSpace("a-z 0-9 "+extra))
	}
	return s
}
