package receipt

import (
	"encoding/base64"
	"slices"
	"strings"

	"plasm/lib/job"
)

// cases is every shared vector.
func cases() []vector {
	return slices.Concat(soundCases(), oldSignatureCases(), signatureCases(), cryptoCases(),
		envelopeCases(), payloadCases(), statementCases(), expectCases())
}

// everything is what a caller knows who has kept all of the sample's job.
func everything() vectorExpect {
	manifest := string(sampleManifest().Encode())
	return vectorExpect{
		Module: b64(sampleModule), Manifest: &manifest, Stdin: b64(sampleStdin),
		Stdout: b64(sampleStdout), Stderr: b64(sampleStderr),
		In: map[string]job.Digest{"/in": sampleTree}, Out: map[string]job.Digest{"/out": sampleTree},
		Guards: []string{"rlimits", "process"}, ExitCodes: []uint32{0},
	}
}

func b64(s string) *string {
	e := base64.StdEncoding.EncodeToString([]byte(s))
	return &e
}

// of makes a case in which the node is trusted. What comes after the signer is
// only told where it matters.
func of(name, envelope string, reason Reason) vector {
	v := vector{Name: name, Valid: reason == "", Reason: reason, Text: &envelope, Trusted: []string{nodeKey().PeerID()}}
	if slices.Contains(beforeExpect(), reason) {
		v.Expect.Stdout, v.Expect.Stderr = b64(sampleStdout), b64(sampleStderr)
	} else {
		v.Expect = everything()
	}
	if reason == BadJSON {
		v.Of = Envelope
	}
	return v
}

// beforeExpect lists the reasons that have to do with the receipt alone.
func beforeExpect() []Reason {
	return []Reason{
		TooLarge, BadJSON, BadPayloadType, BadBase64, SignatureCount, DuplicateSignature, Untrusted, BadStatement,
		WrongSigner,
	}
}

// inPayload is for a case whose payload, signed as it should be, is bad JSON.
func inPayload(v vector) vector {
	v.Of = Payload
	return v
}

// with changes what is known in a case.
func with(v vector, change func(*vectorExpect)) vector {
	change(&v.Expect)
	return v
}

// trusting changes who is trusted in a case.
func trusting(v vector, ids ...string) vector {
	v.Trusted = append([]string{}, ids...) // never null
	return v
}

// knowingNothing makes a case in which only the signature counts.
func knowingNothing(v vector) vector {
	v.Expect = vectorExpect{}
	return v
}

// soundCases are verified.
func soundCases() []vector {
	sound := signed(payload())
	padded := of("one byte less than 1 MiB", sound, "")
	padded.PadTo = 1<<20 - 1
	return []vector{
		of("verified", sound, ""),
		knowingNothing(of("verified, nothing else known", sound, "")),
		trusting(of("verified among several trusted", sound, ""), otherKey().PeerID(), nodeKey().PeerID()),
		padded,
		of("white space around", " \n\t"+sound+"\r\n", ""),
		of("members in another order, escapes", string(replace(sound,
			`,"payloadType":"application/vnd.in-toto+json"`, ``, `"signatures":`,
			`"payload\u0054ype":"application\/vnd.in-toto+json","signatures":`)),
			""),
		of("a keyid that is ignored", string(replace(sound, `{"sig"`, `{"keyid":"SHA256:somebody else","sig"`)), ""),
		of("signed by a stranger too", envelopeOf(payload(), signature(otherKey(), payload()),
			signature(nodeKey(), payload())), ""),
		trusting(of("countersigned by somebody trusted",
			envelopeOf(payload(), signature(otherKey(), payload()), signature(nodeKey(), payload())), ""),
			otherKey().PeerID(), nodeKey().PeerID()),
		of("eight signatures, seven of them junk",
			envelopeOf(payload(), append(junk(7), signature(nodeKey(), payload()))...), ""),
		of("payload with white space and another order",
			signed(replace(string(payload(`"_type":"https://in-toto.io/Statement/v1",`, ``)),
				`"predicateType":`, ` "_type" : "https://in-toto.io/Statement/v1" , "predicateType":`)), ""),
		of("manifest without members that have defaults",
			signed(payload(`"cpu_cores":1,"memory_mb":256,"disk_mb":256,"timeout_ms":60000,`, ``)), ""),
		with(of("a job without a requester, trapped", signed(payload(`"requester":"`+requesterKey().PeerID()+`",`, ``,
			`"status":"exit","exit_code":0`, `"status":"trap","trap":"unreachable"`)), ""),
			func(e *vectorExpect) { e.ExitCodes = nil }),
		with(of("the largest exit code", about(func(s *Statement) { *s.Outcome.ExitCode = 4294967295 }), ""),
			func(e *vectorExpect) { e.ExitCodes = []uint32{0, 4294967295} }),
		with(of("input unknown before the start", about(func(s *Statement) { s.Manifest.StdinHash = "" }), ""),
			func(e *vectorExpect) { e.Manifest = nil }),
		with(of("cut short, and its input not asked about", about(func(s *Statement) {
			s.Outcome.Status, s.Outcome.ExitCode, s.Outcome.Dirs = "cancelled", nil, nil
			s.Outcome.StdinHash, s.Outcome.StdinBytes, s.Outcome.StdinComplete = stdinDigest("hel"), 3, false
		}), ""), func(e *vectorExpect) { e.Stdin, e.Out, e.ExitCodes = nil, nil, nil }),
		with(of("nothing written", about(func(s *Statement) {
			s.Stdout, s.Stderr = stdinDigest(""), stdinDigest("")
			s.Outcome.StdoutBytes, s.Outcome.StderrBytes = 0, 0
		}), ""), func(e *vectorExpect) { e.Stdout, e.Stderr = b64(""), b64("") }),
		with(of("no guards, none required", about(func(s *Statement) { s.Node.Guards = nil }), ""),
			func(e *vectorExpect) { e.Guards = nil }),
	}
}

// junk is n different signatures of nothing.
func junk(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune('a'+i)), 64)))
	}
	return out
}
