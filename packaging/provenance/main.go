// Command provenance signs what a release consists of, and from what it was built:
// an in-toto statement with SLSA's provenance as its predicate, in an envelope as
// receipts have it.
//
//	provenance VERSION COMMIT EPOCH SUMS > provenance.json
//
// SUMS is a file as sha256sum(1) writes it; its files and SUMS itself are what the
// statement is about. COMMIT is that of the source, "" when it is none. The key is
// that of the user ($PLASM_KEY), made on first use.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"plasm/lib/cli"
	"plasm/lib/identity"
	"plasm/lib/receipt"
)

// What statement and predicate are (in-toto attestation framework v1, SLSA v1.0).
const (
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://slsa.dev/provenance/v1"
	buildType     = "urn:plasm:release:v1" // scripts/release on a checkout
)

type resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

type statement struct {
	Type          string     `json:"_type"`
	Subject       []resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     predicate  `json:"predicate"`
}

type predicate struct {
	BuildDefinition struct {
		BuildType            string            `json:"buildType"`
		ExternalParameters   map[string]string `json:"externalParameters"`
		InternalParameters   map[string]string `json:"internalParameters"`
		ResolvedDependencies []resource        `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
	} `json:"runDetails"`
}

func main() {
	os.Exit(run(cli.Process(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

func run(in *cli.Invocation) int {
	if len(in.Args) != 4 {
		_, _ = fmt.Fprintln(in.Stderr, "provenance: wrong use: provenance VERSION COMMIT EPOCH SUMS")
		return 2
	}
	envelope, err := sign(in)
	if err == nil {
		err = in.Print(append(envelope, '\n'))
	}
	if err != nil {
		_, _ = fmt.Fprintln(in.Stderr, "provenance:", err)
		return 1
	}
	return 0
}

func sign(in *cli.Invocation) ([]byte, error) {
	path := in.Getenv("PLASM_KEY")
	if path == "" {
		var err error
		if path, err = identity.DefaultPath(in.Getenv); err != nil {
			return nil, err
		}
	}
	key, _, err := identity.LoadOrCreate(path, in.Getenv("CREDENTIALS_DIRECTORY"))
	if err != nil {
		return nil, err
	}
	s, err := describe(in.Args[0], in.Args[1], in.Args[2], in.Args[3])
	if err != nil {
		return nil, err
	}
	s.Predicate.RunDetails.Builder.ID = "urn:plasm:peer:" + key.PeerID()
	payload, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return receipt.Seal(key, payload)
}

// describe makes the statement of a release.
func describe(version, commit, epoch, sums string) (*statement, error) {
	s := &statement{Type: statementType, PredicateType: predicateType}
	data, err := os.ReadFile(sums)
	if err != nil {
		return nil, err
	}
	if s.Subject, err = subjects(data); err != nil {
		return nil, fmt.Errorf("%s: %w", sums, err)
	}
	sum := sha256.Sum256(data)
	s.Subject = append(s.Subject, resource{
		Name:   filepath.Base(sums),
		Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])},
	})
	build := &s.Predicate.BuildDefinition
	build.BuildType = buildType
	build.ExternalParameters = map[string]string{"version": version, "source_date_epoch": epoch}
	build.InternalParameters = map[string]string{"go": runtime.Version()}
	build.ResolvedDependencies = []resource{}
	if commit != "" {
		build.ResolvedDependencies = append(build.ResolvedDependencies,
			resource{URI: "git+plasm", Digest: map[string]string{"gitCommit": commit}})
	}
	return s, nil
}

var sumLine = regexp.MustCompile(`^([0-9a-f]{64}) {2}([^/\\]+)$`)

// subjects reads the lines of sha256sum(1).
func subjects(data []byte) ([]resource, error) {
	var all []resource
	for line := range bytes.Lines(data) {
		m := sumLine.FindStringSubmatch(strings.TrimSuffix(string(line), "\n"))
		if m == nil {
			return nil, fmt.Errorf("not a line of sha256sum: %q", line)
		}
		all = append(all, resource{Name: m[2], Digest: map[string]string{"sha256": m[1]}})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is nothing to sign")
	}
	return all, nil
}
