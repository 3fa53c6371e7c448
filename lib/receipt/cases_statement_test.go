package receipt

import (
	"strings"

	"plasm/lib/job"
)

func stdinDigest(s string) job.Digest { return job.Sum([]byte(s)) }

// fields is one change to each field of the sample's payload: what is there, and
// what somebody might like there instead.
func fields() [][3]string {
	digest := func(s string) string { return job.Sum([]byte(s)).Hex() }
	return [][3]string{
		{"_type", `Statement/v1`, `Statement/v0.1`},
		{"subject[0].name", `"stdout"`, `"stdour"`},
		{"subject[0].digest.sha256", digest(sampleStdout), digest("other")},
		{"subject[1].name", `"stderr"`, `"stdout"`},
		{"subject[1].digest.sha256", digest(sampleStderr), digest("other")},
		{"subject[2].name", `"name":"/out"`, `"name":"/oud"`},
		{"subject[2].digest.sha256", sampleTree.Hex(), emptyTree.Hex()},
		{"predicateType", `receipt:v1`, `receipt:v2`},
		{"predicate.manifest.version", `"version":"1"`, `"version":"2"`},
		{"predicate.manifest.id", `"0001`, `"0000`},
		{"predicate.manifest.module_hash", digest(sampleModule), digest("other")},
		{"predicate.manifest.args[0]", `["-v",`, `["-w",`},
		{"predicate.manifest.args[1]", `"<&>"`, `"<&"`},
		{"predicate.manifest.env.LANG", `"LANG":"C"`, `"LANG":"D"`},
		{"predicate.manifest.stdin_hash", digest(sampleStdin), digest("other")},
		{"predicate.manifest.dirs[0].guest", `"/data"`, `"/date"`},
		{"predicate.manifest.dirs[0].read_only", `"read_only":true`, `"read_only":false`},
		{"predicate.manifest.dirs[1].guest", `"/in"`, `"/im"`},
		{"predicate.manifest.dirs[1].read_only", `"/in","read_only":true`, `"/in","read_only":false`},
		{"predicate.manifest.dirs[2].guest", `"guest":"/out","read`, `"guest":"/oud","read`},
		{"predicate.manifest.dirs[2].read_only", `"/out","read_only":false`, `"/out","read_only":true`},
		{"predicate.manifest.dirs[2].tree", emptyTree.Hex(), sampleTree.Hex()},
		{"predicate.outcome.dirs[0].tree", sampleTree.Hex() + `","files"`, emptyTree.Hex() + `","files"`},
		{
			"predicate.manifest.dirs[1].tree", `"tree":"` + string(sampleTree) + `"},{`,
			`"tree":"` + string(emptyTree) + `"},{`,
		},
		{"predicate.manifest.cpu_cores", `"cpu_cores":1`, `"cpu_cores":2`},
		{"predicate.manifest.memory_mb", `"memory_mb":256`, `"memory_mb":257`},
		{"predicate.manifest.disk_mb", `"disk_mb":256`, `"disk_mb":255`},
		{"predicate.manifest.timeout_ms", `"timeout_ms":60000`, `"timeout_ms":60001`},
		{"predicate.manifest.fuel", `"fuel":1000`, `"fuel":1001`},
		{"predicate.manifest.output_limit_bytes", `"output_limit_bytes":16777216`, `"output_limit_bytes":16777217`},
		{"predicate.manifest.deterministic", `"deterministic":true`, `"deterministic":false`},
		{"predicate.manifest.seed", `"seed":0`, `"seed":1`},
		{"predicate.manifest.canonical_nan", `"canonical_nan":false`, `"canonical_nan":true`},
		{"predicate.manifest.arch", `"arch":"amd64","engine"`, `"arch":"arm64","engine"`},
		{"predicate.manifest.engine", `"engine":"wazero"`, `"engine":"wasmer"`},
		{"predicate.requester", requesterKey().PeerID(), otherKey().PeerID()},
		{"predicate.outcome.status", `"status":"exit"`, `"status":"trap"`},
		{"predicate.outcome.exit_code", `"exit_code":0`, `"exit_code":1`},
		{
			"predicate.outcome.stdin_hash", `"stdin_hash":"sha256:` + digest(sampleStdin) + `","stdin_bytes"`,
			`"stdin_hash":"sha256:` + digest("other") + `","stdin_bytes"`,
		},
		{"predicate.outcome.stdin_bytes", `"stdin_bytes":5`, `"stdin_bytes":6`},
		{"predicate.outcome.stdin_complete", `"stdin_complete":true`, `"stdin_complete":false`},
		{"predicate.outcome.stdout_bytes", `"stdout_bytes":5`, `"stdout_bytes":4`},
		{"predicate.outcome.stderr_bytes", `"stderr_bytes":8`, `"stderr_bytes":9`},
		{"predicate.outcome.truncated", `"truncated":false`, `"truncated":true`},
		{"predicate.outcome.dirs[0].guest", `"dirs":[{"guest":"/out"`, `"dirs":[{"guest":"/oud"`},
		{"predicate.outcome.dirs[0].files", `"files":1`, `"files":2`},
		{"predicate.outcome.dirs[0].bytes", `"files":1,"bytes":5`, `"files":1,"bytes":6`},
		{"predicate.outcome.fuel_used", `"fuel_used":321`, `"fuel_used":322`},
		{"predicate.outcome.memory_bytes", `"memory_bytes":131072`, `"memory_bytes":131073`},
		{"predicate.outcome.wall_time_us", `"wall_time_us":1500`, `"wall_time_us":1501`},
		{"predicate.outcome.cpu_time_us", `"cpu_time_us":1200`, `"cpu_time_us":1201`},
		{"predicate.outcome.compile_time_us", `"compile_time_us":900`, `"compile_time_us":901`},
		{"predicate.outcome.compile_cached", `"compile_cached":false`, `"compile_cached":true`},
		{"predicate.node.peer_id", nodeKey().PeerID(), otherKey().PeerID()},
		{"predicate.node.version", `"version":"0.1.0"`, `"version":"0.1.1"`},
		{"predicate.node.os", `"os":"linux"`, `"os":"linus"`},
		{"predicate.node.arch", `"os":"linux","arch":"amd64"`, `"os":"linux","arch":"amd65"`},
		{"predicate.node.engine.name", `"name":"wazero"`, `"name":"wazera"`},
		{"predicate.node.engine.version", `"1.12.0"`, `"1.12.1"`},
		{"predicate.node.guards[0]", `"process"`, `"nodump"`},
		{"predicate.node.guards[1]", `"rlimits"`, `"nofds"`},
		{"predicate.node.guards[2]", `"pdeathsig"`, `"seccomp"`},
		{"predicate.started_at", `05.678Z`, `05.677Z`},
		{"predicate.finished_at", `05.680Z`, `05.681Z`},
	}
}

// oldSignatureCases change each field under the signature of the sample.
func oldSignatureCases() []vector {
	old := signature(nodeKey(), payload())
	var out []vector
	for _, f := range fields() {
		out = append(out, of("changed under the old signature: "+f[0], envelopeOf(payload(f[1], f[2]), old), Untrusted))
	}
	return out
}

// payloadCases sign what is not in the JSON profile.
func payloadCases() []vector {
	bad := func(name string, payload []byte) vector {
		return inPayload(of("signed payload: "+name, signed(payload), BadJSON))
	}
	return []vector{
		bad("a member twice", payload(`"exit_code":0`, `"exit_code":1,"exit_code":0`)),
		bad("a member twice, once escaped", payload(`"status":"exit"`, `"status":"exit","st\u0061tus":"exit"`)),
		bad("a member of another object twice", payload(`"LANG":"C"`, `"LANG":"C","LANG":"C"`)),
		bad("null", payload(`"fuel":1000`, `"fuel":null`)),
		bad("a fraction", payload(`"seed":0`, `"seed":0.0`)),
		bad("an exponent", payload(`"seed":0`, `"seed":0e0`)),
		bad("a leading zero", payload(`"seed":0`, `"seed":00`)),
		bad("beyond 2^53-1", payload(`"seed":0`, `"seed":9007199254740992`)),
		bad("an unpaired surrogate", payload(`"LANG":"C"`, `"LANG":"\ud800"`)),
		bad("invalid UTF-8", payload(`"LANG":"C"`, "\"LANG\":\"\xff\"")),
		bad("byte order mark", append([]byte("\xef\xbb\xbf"), payload()...)),
		bad("two values", append(payload(), `{}`...)),
		bad("cut", payload()[:len(payload())-1]),
		bad("empty", []byte{}),
		bad("too deep", payload(`"args":["-v",`, `"args":[`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`,`)),
	}
}

// statementCases sign JSON that is not a statement.
func statementCases() []vector {
	bad := func(name string, oldnew ...string) vector {
		return of("signed statement: "+name, signed(payload(oldnew...)), BadStatement)
	}
	stderr := `{"name":"stderr","digest":{"sha256":"` + job.Sum([]byte(sampleStderr)).Hex() + `"}}`
	return []vector{
		bad("older type", `Statement/v1`, `Statement/v0.1`),
		bad("no type", `"_type":"https://in-toto.io/Statement/v1",`, ``),
		bad("another predicate type", `receipt:v1`, `receipt:v2`),
		bad("an unknown member", `"_type":`, `"note":"x","_type":`),
		bad("a member in another case", `"subject":`, `"Subject":`),
		bad("an unknown member of the predicate", `"predicate":{`, `"predicate":{"note":1,`),
		bad("an unknown member of the manifest", `"version":"1"`, `"version":"1","note":1`),
		bad("an unknown member of the outcome", `"status":`, `"note":1,"status":`),
		bad("an unknown member of the engine", `"name":"wazero"`, `"name":"wazero","note":1`),
		bad("one subject", `,`+stderr, ``),
		bad("three subjects", stderr, stderr+`,`+stderr),
		bad("subjects swapped", `"stdout"`, `"stdxxx"`, `"stderr"`, `"stdout"`, `"stdxxx"`, `"stderr"`),
		bad("a subject named otherwise", `"stdout"`, `"Stdout"`),
		bad("two digests", `{"sha256":`, `{"sha512":"00","sha256":`),
		bad("no digest", `{"sha256":"`+job.Sum([]byte(sampleStdout)).Hex()+`"}`, `{}`),
		bad("a digest in upper case", job.Sum([]byte(sampleStdout)).Hex(),
			strings.ToUpper(job.Sum([]byte(sampleStdout)).Hex())),
		bad("a digest with its algorithm", job.Sum([]byte(sampleStdout)).Hex(),
			"sha256:"+job.Sum([]byte(sampleStdout)).Hex()[7:]),
		bad("a folder of the outcome that is no subject", `,{"name":"/out","digest":{"sha256":"`+sampleTree.Hex()+`"}}`,
			``),
		bad("a subject that has another tree than the outcome", sampleTree.Hex(), emptyTree.Hex()),
		bad("a subject that has another path than the outcome", `"name":"/out"`, `"name":"/oud"`),
		bad("a folder that may only be read, in the outcome", `"name":"/out"`, `"name":"/in"`,
			`"dirs":[{"guest":"/out"`, `"dirs":[{"guest":"/in"`),
		bad("folders of a job that was stopped", `"status":"exit","exit_code":0`, `"status":"timeout"`),
		bad("a number as text", `"seed":0`, `"seed":"0"`),
		bad("an object as a list", `"env":{"LANG":"C"}`, `"env":[]`),
		bad("a manifest of another version", `"version":"1"`, `"version":"2"`),
		bad("a manifest without id", `"id":"000102030405060708090a0b0c0d0e0f",`, ``),
		bad("memory out of range", `"memory_mb":256`, `"memory_mb":4097`),
		bad("an unknown status", `"status":"exit"`, `"status":"exited"`),
		bad("exit without its code", `"exit_code":0,`, ``),
		bad("an exit code of 33 bits", `"exit_code":0`, `"exit_code":4294967296`),
		bad("a code with another status", `"status":"exit"`, `"status":"timeout"`),
		bad("an unknown trap", `"status":"exit","exit_code":0`, `"status":"trap","trap":"door"`),
		bad("no node", `"peer_id":"`+nodeKey().PeerID()+`",`, ``),
		bad("a node that is no peer ID", nodeKey().PeerID(), `QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N`),
		bad("a requester that is no peer ID", requesterKey().PeerID(), `me`),
		bad("an empty version", `"version":"0.1.0"`, `"version":""`),
		bad("an empty engine", `"name":"wazero"`, `"name":""`),
		bad("an unknown guard", `"pdeathsig"`, `"moat"`),
		bad("a guard twice", `"pdeathsig"`, `"rlimits"`),
		bad("a time without milliseconds", `05.678Z`, `05Z`),
		bad("a time in another zone", `05.678Z`, `05.678+00:00`),
		bad("a day that no calendar has", `2026-01-02T03:04:05.678Z`, `2026-02-30T03:04:05.678Z`),
		of("signed statement: an array", signed([]byte(`[]`)), BadStatement),
		of("signed statement: a string", signed([]byte(`"statement"`)), BadStatement),
	}
}
