package receipt

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// signatureCases are about who signed, and what.
func signatureCases() []vector {
	p := payload()
	good := signature(nodeKey(), p)
	flip := func(name string, at int, bit byte) vector {
		sig := nodeKey().Sign(encoding(PayloadType, p))
		sig[at] ^= bit
		return of("signature: "+name, envelopeOf(p, base64.StdEncoding.EncodeToString(sig)), Untrusted)
	}
	over := func(name string, message []byte) vector {
		sig := base64.StdEncoding.EncodeToString(nodeKey().Sign(message))
		return of("signature over "+name, envelopeOf(p, sig), Untrusted)
	}
	cut := base64.StdEncoding.EncodeToString(nodeKey().Sign(encoding(PayloadType, p))[:63])
	long := base64.StdEncoding.EncodeToString(append(nodeKey().Sign(encoding(PayloadType, p)), 0))
	return []vector{
		flip("first bit", 0, 1),
		flip("last bit of R", 31, 0x80),
		flip("first bit of S", 32, 1),
		flip("last bit of S", 63, 0x80),
		of("signature: a byte short", envelopeOf(p, cut), Untrusted),
		of("signature: a byte long", envelopeOf(p, long), Untrusted),
		of("signature: empty", envelopeOf(p, ""), Untrusted),
		over("the payload alone", p),
		over("the payload in base64", encoding(PayloadType, []byte(base64.StdEncoding.EncodeToString(p)))),
		over("another payload type", encoding("application/json", p)),
		of("signature of another receipt", envelopeOf(p, signature(nodeKey(), payload(`"seed":0`, `"seed":1`))),
			Untrusted),
		of("signed by somebody else", envelopeOf(p, signature(otherKey(), p)), Untrusted),
		trusting(of("nobody trusted", signed(p), Untrusted)),
		trusting(of("only somebody else trusted", signed(p), Untrusted), otherKey().PeerID()),
		trusting(of("only the requester trusted", signed(p), Untrusted), requesterKey().PeerID()),
		trusting(of("signed by somebody else who is trusted", envelopeOf(p, signature(otherKey(), p)), WrongSigner),
			nodeKey().PeerID(), otherKey().PeerID()),
		trusting(of("the node untrusted, countersigned by somebody trusted",
			envelopeOf(p, good, signature(otherKey(), p)), WrongSigner),
			otherKey().PeerID()),
		of("the node renamed and signed", signed(payload(nodeKey().PeerID(), otherKey().PeerID())), WrongSigner),
		of("no signatures", envelopeOf(p), SignatureCount),
		of("nine signatures", envelopeOf(p, append(junk(8), good)...), SignatureCount),
		of("the same signature twice", envelopeOf(p, good, good), DuplicateSignature),
		of("junk twice beside a good signature", envelopeOf(p, junk(1)[0], good, junk(1)[0]), DuplicateSignature),
	}
}

// cryptoCases are about the corners of Ed25519.
func cryptoCases() []vector {
	p := payload()
	good := nodeKey().Sign(encoding(PayloadType, p))
	neutralID := identity.PeerIDOf(ed25519.PublicKey(neutral()))
	otherwiseID := identity.PeerIDOf(ed25519.PublicKey(neutralOtherwise()))
	named := func(id string) []byte { return payload(nodeKey().PeerID(), id) }
	one := func(name string, payload, sig []byte) vector {
		return of(name, envelopeOf(payload, base64.StdEncoding.EncodeToString(sig)), Untrusted)
	}
	message := encoding(PayloadType, p)
	return []vector{
		one("S plus the group's order", p, plusOrder(good)),
		trusting(one("a key of small order", named(neutralID), forge()), neutralID),
		trusting(one("a key of small order, not canonical", named(otherwiseID), forge()), otherwiseID),
		one("R of small order", p, smallR([32]byte{1}, neutral(), message)),
		one("R of small order, not canonical", p, smallR([32]byte{1}, neutralOtherwise(), message)),
		one("R that is no point", p, append(append([]byte{2}, make([]byte, 31)...), good[32:]...)),
		trusting(one("a key that is no point", p, good), identity.PeerIDOf(append([]byte{2}, make([]byte, 31)...))),
		one("zeros", p, make([]byte, 64)),
	}
}

// envelopeCases are about the envelope's own form.
func envelopeCases() []vector {
	p := payload()
	good, text := signature(nodeKey(), p), base64.StdEncoding.EncodeToString(p)
	sound := signed(p)
	bad := func(name string, oldnew ...string) vector {
		return of("envelope: "+name, string(replace(sound, oldnew...)), BadJSON)
	}
	plain := func(name, envelope string, reason Reason) vector {
		return of("envelope: "+name, envelope, reason)
	}
	large := plain("1 MiB", sound, TooLarge)
	large.PadTo = 1 << 20
	broken := plain("invalid UTF-8", "", BadJSON)
	broken.Text, broken.Base64 = nil, b64(string(replace(sound, `{"payload"`, "{\"\xff\":1,\"payload\"")))
	return append(base64Cases(p),
		large,
		broken,
		plain("empty", "", BadJSON),
		plain("text", "hello", BadJSON),
		plain("an array", "["+sound+"]", BadJSON),
		plain("cut", sound[:len(sound)-1], BadJSON),
		plain("something after", sound+"{}", BadJSON),
		plain("byte order mark", "\ufeff"+sound, BadJSON),
		bad("a member twice", `{"payload"`, `{"payload":"e30=","payload"`),
		bad("a member twice, once escaped", `{"payload"`, `{"\u0070ayload":"e30=","payload"`),
		bad("a signature's member twice", `{"sig"`, `{"sig":"AAAA","sig"`),
		bad("an unknown member", `{"payload"`, `{"note":1,"payload"`),
		bad("an unknown member of a signature", `{"sig"`, `{"cert":"","sig"`),
		bad("a member in another case", `"payloadType"`, `"PayloadType"`),
		bad("no payload type", `,"payloadType":"application/vnd.in-toto+json"`, ``),
		bad("no payload", `"payload":"`+text+`",`, ``),
		bad("no list of signatures", `,"signatures":[{"sig":"`+good+`"}]`, ``),
		bad("null for a keyid", `{"sig"`, `{"keyid":null,"sig"`),
		bad("a number for a keyid", `{"sig"`, `{"keyid":1,"sig"`),
		bad("a signature that is a string", `{"sig":"`+good+`"}`, `"`+good+`"`),
		bad("a fraction", `{"payload"`, `{"x":1.5,"payload"`),
		plain("another payload type", rawEnvelope(text, "application/json", good), BadPayloadType),
		plain("payload type in another case", rawEnvelope(text, "application/vnd.in-toto+JSON", good), BadPayloadType),
		plain("another payload type, signed as such", rawEnvelope(text, "application/json",
			base64.StdEncoding.EncodeToString(nodeKey().Sign(encoding("application/json", p)))), BadPayloadType),
		plain("payload stripped", rawEnvelope("", PayloadType, good), Untrusted),
		plain("payload encoded again", envelopeOf(replace(string(p), `,"subject"`, `, "subject"`), good), Untrusted),
		plain("payload with an end of line", envelopeOf(append(p, '\n'), good), Untrusted),
		plain("payload in base64 twice", envelopeOf([]byte(text), good), Untrusted),
	)
}

// base64Cases spell the payload or the signature in another way.
func base64Cases(p []byte) []vector {
	// A payload whose length leaves bits and padding over, and that has bytes
	// whose base64 differs between the alphabets.
	p = replace(string(p), `"LANG":"C"`, `"LANG":"`+strings.Repeat("C", 1+(4-len(p)%3)%3)+`ÿÿÿ>>>???"`)
	good, text := signature(nodeKey(), p), base64.StdEncoding.EncodeToString(p)
	payload := func(name, text string) vector {
		return of("base64 of the payload: "+name, rawEnvelope(text, PayloadType, good), BadBase64)
	}
	sig := func(name, sig string) vector {
		return of("base64 of the signature: "+name, rawEnvelope(text, PayloadType, sig), BadBase64)
	}
	padding := strings.Repeat("=", len(text)-len(strings.TrimRight(text, "=")))
	return []vector{
		payload("URL-safe", base64.URLEncoding.EncodeToString(p)),
		payload("without padding", strings.TrimRight(text, "=")),
		payload("too much padding", text+"="),
		payload("stray bits", stray(text)),
		payload("a line break", text[:76]+"\n"+text[76:]),
		payload("a line break at the end", text+"\r\n"),
		payload("a space", text[:76]+" "+text[76:]),
		payload("padding within", text[:4]+padding+text[4:]),
		payload("not ASCII", "é"+text),
		sig("URL-safe", strings.NewReplacer("+", "-", "/",
			"_").Replace(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xff\xfe", 32))))),
		sig("without padding", strings.TrimRight(good, "=")),
		sig("stray bits", stray(good)),
		sig("a line break", good[:64]+"\n"+good[64:]),
	}
}

// stray sets an unused bit in the last group of a base64 text.
func stray(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	digits := strings.TrimRight(s, "=")
	if digits == s {
		panic("no bits are left over")
	}
	last := strings.IndexByte(alphabet, digits[len(digits)-1])
	return digits[:len(digits)-1] + alphabet[last+1:last+2] + s[len(digits):]
}

// expectCases are sound receipts that are not about what the caller has.
func expectCases() []vector {
	sound := signed(payload())
	not := func(name string, reason Reason, change func(*vectorExpect)) vector {
		return with(of("not ours: "+name, sound, reason), change)
	}
	manifest := func(name string, change func(*job.Manifest)) vector {
		return not(name, WrongManifest, func(e *vectorExpect) {
			m := sampleManifest()
			change(m)
			text := string(m.Encode())
			e.Manifest = &text
		})
	}
	one := func(guest string, tree job.Digest) map[string]job.Digest { return map[string]job.Digest{guest: tree} }
	count := func(name string, reason Reason, change func(*Statement)) vector {
		return of("not ours: "+name, about(change), reason)
	}
	out := []vector{
		not("another module", WrongModule, func(e *vectorExpect) { e.Module = b64("other") }),
		manifest("a manifest that differs by its id alone", func(m *job.Manifest) { m.ID = strings.Repeat("0", 32) }),
		manifest("a manifest with more arguments", func(m *job.Manifest) { m.Args = append(m.Args, "") }),
		manifest("a manifest with another variable", func(m *job.Manifest) { m.Env = map[string]string{"LANG": "D"} }),
		manifest("a manifest without stdin_hash", func(m *job.Manifest) { m.StdinHash = "" }),
		not("another input", WrongStdin, func(e *vectorExpect) { e.Stdin = b64("hello\n") }),
		with(count("input other than the manifest's", WrongStdin, func(s *Statement) {
			s.Manifest.StdinHash = stdinDigest("hello, world")
		}), func(e *vectorExpect) { e.Manifest = nil }),
		with(count("input cut short", WrongStdin, func(s *Statement) {
			s.Outcome.Status, s.Outcome.ExitCode, s.Outcome.Dirs = "cancelled", nil, nil
			s.Outcome.StdinHash, s.Outcome.StdinBytes, s.Outcome.StdinComplete = stdinDigest("hel"), 3, false
		}), func(e *vectorExpect) { e.Out, e.ExitCodes = nil, nil }),
		count("input of another length", WrongStdin, func(s *Statement) { s.Outcome.StdinBytes++ }),
		not("one byte of the output altered", WrongStdout, func(e *vectorExpect) { e.Stdout = b64("Olleh") }),
		not("output truncated", WrongStdout, func(e *vectorExpect) { e.Stdout = b64("olle") }),
		not("output empty", WrongStdout, func(e *vectorExpect) { e.Stdout = b64("") }),
		not("streams swapped", WrongStdout, func(e *vectorExpect) { e.Stdout, e.Stderr = e.Stderr, e.Stdout }),
		count("output of another length", WrongStdout, func(s *Statement) { s.Outcome.StdoutBytes++ }),
		not("other diagnostics", WrongStderr, func(e *vectorExpect) { e.Stderr = b64("") }),
		count("diagnostics of another length", WrongStderr, func(s *Statement) { s.Outcome.StderrBytes++ }),
		not("another folder before", WrongDirs, func(e *vectorExpect) { e.In = one("/in", stdinDigest("x")) }),
		not("another folder after", WrongDirs, func(e *vectorExpect) { e.Out = one("/out", stdinDigest("x")) }),
		not("a folder that only lived", WrongDirs, func(e *vectorExpect) { e.In = one("/data", stdinDigest("x")) }),
		not("a folder that may only be read, after", WrongDirs, func(e *vectorExpect) {
			e.Out = one("/in", sampleTree)
		}),
		not("a guard missing", MissingGuards, func(e *vectorExpect) { e.Guards = append(e.Guards, "seccomp") }),
		count("no guards", MissingGuards, func(s *Statement) { s.Node.Guards = nil }),
		not("another exit code expected", WrongOutcome, func(e *vectorExpect) { e.ExitCodes = []uint32{1, 2} }),
		count("it failed", WrongOutcome, func(s *Statement) { *s.Outcome.ExitCode = 1 }),
		count("256 is not 0", WrongOutcome, func(s *Statement) { *s.Outcome.ExitCode = 256 }),
		with(count("it timed out", WrongOutcome, func(s *Statement) {
			s.Outcome.Status, s.Outcome.ExitCode, s.Outcome.Dirs = job.Timeout, nil, nil
		}), func(e *vectorExpect) { e.Out = nil }),
		with(count("it was cancelled", WrongOutcome, func(s *Statement) {
			s.Outcome.Status, s.Outcome.ExitCode, s.Outcome.Dirs = job.Cancelled, nil, nil
		}), func(e *vectorExpect) { e.Out = nil }),
	}
	return append(out, orderCases()...)
}

// orderCases break two rules each: the first in order is the verdict.
func orderCases() []vector {
	p := payload()
	text, good := base64.StdEncoding.EncodeToString(p), signature(nodeKey(), p)
	first := func(name, envelope string, reason Reason) vector {
		return of("first failure: "+name, envelope, reason)
	}
	wrongAll := func(v vector) vector {
		return with(v, func(e *vectorExpect) {
			e.Module, e.Stdin, e.Stdout = b64(""), b64(""), b64("")
			e.Out = map[string]job.Digest{"/out": emptyTree}
			e.Guards, e.ExitCodes = []string{"seccomp"}, []uint32{1}
		})
	}
	large := first("too large before bad JSON", "hello", TooLarge)
	large.PadTo = 1 << 20
	return []vector{
		large,
		first("bad JSON before payload type",
			string(replace(rawEnvelope(text, "x", good), `{"payload"`, `{"x":null,"payload"`)), BadJSON),
		first("payload type before base64", rawEnvelope("!", "x", good), BadPayloadType),
		first("base64 before the number of signatures", rawEnvelope("!", PayloadType), BadBase64),
		first("the number of signatures before a duplicate", envelopeOf(p, append(junk(8), junk(1)...)...),
			SignatureCount),
		first("a duplicate before trust", envelopeOf(p, junk(1)[0], junk(1)[0]), DuplicateSignature),
		first("trust before the payload's JSON", envelopeOf([]byte("{"), junk(1)[0]), Untrusted),
		inPayload(first("the payload's JSON before its statement", signed([]byte(`{"x":null}`)), BadJSON)),
		first("the statement before its signer",
			signed(payload(nodeKey().PeerID(), otherKey().PeerID(), `receipt:v1`, `receipt:v2`)), BadStatement),
		wrongAll(first("the signer before the module", signed(payload(nodeKey().PeerID(), otherKey().PeerID())),
			WrongSigner)),
		wrongAll(first("the module before all else", signed(p), WrongModule)),
		with(wrongAll(first("stdin before stdout", signed(p), WrongStdin)), func(e *vectorExpect) { e.Module = nil }),
		with(wrongAll(first("stdout before folders", signed(p), WrongStdout)),
			func(e *vectorExpect) { e.Module, e.Stdin = nil, nil }),
		with(wrongAll(first("folders before guards", signed(p), WrongDirs)),
			func(e *vectorExpect) { e.Module, e.Stdin, e.Stdout = nil, nil, nil }),
		with(wrongAll(first("guards before the outcome", signed(p), MissingGuards)),
			func(e *vectorExpect) { e.Module, e.Stdin, e.Stdout, e.Out = nil, nil, nil, nil }),
	}
}
