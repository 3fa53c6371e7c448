package main

import "plasm/lib/cli"

// The exit codes that all subcommands share.
var (
	wrongUse = cli.Term{Name: "125", Text: "plasm failed or was used wrongly"}
	closed   = cli.Term{Name: "141", Text: "stdout was closed"}
)

// see are the pages of which one is about the node.
func see(others ...string) []string {
	return append(others, "plasmd(8)", "plasmd.toml(5)", "plasm-discover(1)", "plasm-submit(1)")
}

// doc is what the help and the manual page say beside the flags.
func doc() cli.Doc {
	return cli.Doc{
		Name: name, Section: 8, Level: "info",
		Summary: "the node: runs the jobs of others",
		Synopsis: []string{
			"serve [flags]", "identity [flags]", "status [flags]", "allow [flags] PEERID...|any", "jobs [flags]",
			"cancel [flags] JOB...", "drain [flags]", "check [flags]", "doctor [flags]",
		},
		About: []string{
			"The node: it is found by plasm-discover, says what it can do, and runs jobs for those who may submit, " +
				"each in a worker (plasm-run) that is locked down.",
		},
		Exit: []cli.Term{
			{Name: "0", Text: "done, a node that was stopped by a signal too"},
			wrongUse,
			{Name: "127", Text: "file not found, or no node is running"},
			closed,
		},
		Files: []cli.Term{
			{Name: "/etc/plasmd/plasmd.toml", Text: "the configuration of the packaged service: plasmd.toml(5)"},
			{
				Name: "/var/lib/plasmd",
				Text: "the packaged service's data folder: key, peers, allow file, results, modules",
			},
			{Name: "/run/plasmd", Text: "the packaged service's runtime folder: addresses and control socket"},
		},
		Examples: []string{
			"plasmd serve",
			"plasmd serve --bootstrap /ip4/192.0.2.1/tcp/7527/p2p/12D3KooW...",
			"plasmd allow 12D3KooW...",
			"plasmd status --json",
		},
		See: []string{
			"plasmd-serve(8)", "plasmd-identity(8)", "plasmd-status(8)", "plasmd-allow(8)", "plasmd-jobs(8)",
			"plasmd-cancel(8)", "plasmd-drain(8)", "plasmd-check(8)", "plasmd-doctor(8)", "plasmd.toml(5)",
			"plasm-discover(1)", "plasm-submit(1)",
		},
	}
}

func serveDoc() cli.Doc {
	return cli.Doc{
		Name: serveName, Section: 8, Level: "info", Mixed: true,
		Notes: map[string]string{
			jobsGet: "A number alone is in bytes, for --memory in MiB; with a unit (64M, 1GiB: powers of 1024; " +
				"10MB: of 1000) in that.",
		},
		Summary:  "run a node in the foreground; logs go to stderr",
		Synopsis: []string{"[flags]"},
		About: []string{
			"Runs a node until it is told to stop (SIGTERM, SIGINT). When it is ready, and not before, its " +
				"addresses are on stdout, one a line. SIGHUP has it read the allow file again. Every flag may also " +
				"come from a variable (--max-timeout: PLASMD_MAX_TIMEOUT; lists separated by white space) or from " +
				"the configuration file (max-timeout = \"1h\"); a flag wins over a variable, and that over the file.",
		},
		Exit: []cli.Term{
			{Name: "0", Text: "stopped by a signal"},
			{Name: "125", Text: "it could not start, or was used wrongly"},
			{Name: "127", Text: "file not found"},
			closed,
		},
		Files: []cli.Term{
			{Name: "allow", Text: "in the data folder: who may submit, PEERID [NAME] a line, or any"},
			{Name: "key.pem", Text: "in the data folder: the node's key, mode 0600, made if it is not there"},
			{Name: "peers", Text: "in the data folder: the peers that answered last time"},
		},
		Examples: []string{
			"plasmd serve --slots 2 --memory 2048",
			"plasmd serve --relay --listen /ip4/0.0.0.0/tcp/7527",
			"plasmd serve --max-timeout 10m --print-config > plasmd.toml",
			"plasmd serve --config plasmd.toml",
		},
		See: see(),
	}
}

// whereNote says which node is meant where no flag does.
func whereNote() map[string]string {
	return map[string]string{theNode: "Without these the running node is looked for in the default runtime folders."}
}

func identityDoc() cli.Doc {
	return cli.Doc{
		Name: name + " identity", Section: 8, Level: "info", Mixed: true, Notes: whereNote(),
		Summary:  "print the node's peer ID",
		Synopsis: []string{"[flags]"},
		About: []string{
			"Prints the peer ID of the running node; when none is running, of the key in the data folder, which " +
				"plasmd serve makes. It is no secret: any user may ask for it.",
		},
		Exit: []cli.Term{{Name: "0", Text: "printed"}, wrongUse, {Name: "127", Text: "there is no key"}, closed},
		Examples: []string{
			"plasmd identity",
			`plasm-verify --signer "$(plasmd identity)" receipt.json`,
		},
		See: see("plasm-verify(1)"),
	}
}

func statusDoc() cli.Doc {
	return cli.Doc{
		Name: name + " status", Section: 8, Level: "info", Mixed: true, Notes: whereNote(),
		Summary:  "ask the running node how it is",
		Synopsis: []string{"[flags]"},
		About: []string{
			"Asks the running node how it is: its addresses, peers and announcements, what it gives to jobs, how " +
				"many it has, what it keeps, and who may submit; when it is to end, what it waits for. A user who " +
				"may not ask it (root, the node's user, and the group that its socket belongs to may) sees its peer " +
				"ID and addresses, which are public.",
		},
		Exit: []cli.Term{
			{Name: "0", Text: "it answered, or its public part was shown"},
			{Name: "125", Text: "it could not be asked"},
			{Name: "127", Text: "no node is running"},
			closed,
		},
		Examples: []string{"plasmd status", "plasmd status --watch", "plasmd status --json"},
		See:      see(),
	}
}

func allowDoc() cli.Doc {
	return cli.Doc{
		Name: name + " allow", Section: 8, Level: "info", Mixed: true, Notes: whereNote(),
		Summary:  "say who may submit jobs to the node",
		Synopsis: []string{"[flags] PEERID[=NAME]...|any", "--list"},
		About: []string{
			"Adds peers to the allow file of the running node and has it read the file again: they may submit jobs. " +
				"The word any stands for everybody. With a name, which the file keeps, tables and the status page " +
				"show it, and --remove takes it. When no node is running, the file named allow in the data folder " +
				"is edited. Comments stay as they are. Root edits it as the user in whose hands the node is.",
			"The node is found by its runtime folder, or by the lock of its data folder, which names it. Where it " +
				"cannot be told, or goes on admitting one that was removed, because a flag, a variable or its " +
				"configuration names it, that is said, and the exit code is 1. --list has those, too, each with " +
				"what names it.",
		},
		Exit: []cli.Term{
			{Name: "0", Text: "done"},
			{Name: "1", Text: "the file is as asked for, and the running node is not"},
			wrongUse,
			{Name: "127", Text: "no node is running in the folder that was named, or none has run here"},
			closed,
		},
		Examples: []string{"plasmd allow 12D3KooW...=alice", "plasmd allow --remove any", "plasmd allow --list"},
		See:      see(),
	}
}

// asked are the exit codes of a subcommand that asks the running node.
func asked(done string, more ...cli.Term) []cli.Term {
	codes := append([]cli.Term{{Name: "0", Text: done}}, more...)
	return append(codes, wrongUse, cli.Term{Name: "127", Text: "no node is running"}, closed)
}

func jobsDoc() cli.Doc {
	return cli.Doc{
		Name: name + " jobs", Section: 8, Level: "info", Mixed: true, Notes: whereNote(),
		Summary:  "list the jobs that run and wait",
		Synopsis: []string{"[flags]"},
		About: []string{
			"Lists the jobs of the running node: those that run, the longest first; those whose module or input is " +
				"on its way, or whose module is compiled; and those that wait for a slot, in their order. It shows " +
				"no arguments, environments or inputs.",
			"A line has the beginning of the job's ID, which plasm-submit --verbose tells its user; the end of the " +
				"requester's peer ID; the state, or how the job ended; how long it has run, or waited; how long it " +
				"may run, or when it ended; the memory that it may use; and the bytes that it has written. --json " +
				"has all of each.",
		},
		Exit: asked("listed"),
		Examples: []string{
			"plasmd jobs", "plasmd jobs --all", "plasmd jobs --watch",
			"plasmd jobs --json | jq -r '.current[] | .requester + \"/\" + .job'",
		},
		See: see("plasmd-cancel(8)"),
	}
}

func cancelDoc() cli.Doc {
	return cli.Doc{
		Name: name + " cancel", Section: 8, Level: "info", Mixed: true, Notes: whereNote(),
		Summary:  "end jobs that run or wait",
		Synopsis: []string{"[flags] ID|REQUESTER/ID|PREFIX..."},
		About: []string{
			"Ends jobs of the running node. A job is named by its ID, by REQUESTER/ID, or by the beginning of its " +
				"ID: eight characters or more, as many as tell it from the others. One that has started ends in a " +
				"receipt that says cancelled; one that has not is rejected, and its requester may try another node.",
		},
		Exit: asked("they have ended", cli.Term{Name: "1", Text: "of several, some could not be cancelled"}),
		Examples: []string{
			"plasmd cancel 0f1e2d3c4b5a",
			"plasmd cancel 12D3KooW.../0f1e2d3c4b5a69788796a5b4c3d2e1f0",
		},
		See: see("plasmd-jobs(8)"),
	}
}

func drainDoc() cli.Doc {
	return cli.Doc{
		Name: name + " drain", Section: 8, Level: "info", Mixed: true, Notes: whereNote(),
		Summary:  "take no new jobs, and end when those that run have",
		Synopsis: []string{"[flags]"},
		About: []string{
			"Has the running node take no new jobs, and end when those that it has accepted have ended, however " +
				"long they take; jobs that wait for a slot are rejected, and their requesters try other nodes. " +
				"SIGTERM then bounds that by the node's --drain. status, jobs, cancel, allow and doctor work until " +
				"it is gone. The packaged service stays stopped; systemctl start plasmd starts it again.",
		},
		Exit: asked("no new job is taken; with --wait, the node has ended",
			cli.Term{Name: "1", Text: "with --wait: stopped before"}),
		Examples: []string{
			"plasmd drain",
			"sudo plasmd drain --wait && sudo apt-get install --only-upgrade plasm && sudo systemctl start plasmd",
		},
		See: see("plasmd-jobs(8)"),
	}
}

func checkDoc() cli.Doc {
	return cli.Doc{
		Name: name + " check", Section: 8, Level: "info", Mixed: true,
		Summary:  "say whether a configuration would start a node",
		Synopsis: []string{"[flags]"},
		About: []string{
			"Reads a configuration file and the variables as plasmd serve would, asks the worker what it is, and " +
				"says whether a node would start: before a restart, and in scripts that write the file. It opens " +
				"none of the node's folders and ports, so it works beside a running node; plasmd doctor looks at " +
				"those. What is wrong is the error that plasmd serve would end with.",
		},
		Exit: []cli.Term{
			{Name: "0", Text: "a node would start"},
			{Name: "125", Text: "it would not, or the command was used wrongly"},
			{Name: "127", Text: "file not found"},
		},
		Examples: []string{"plasmd check --config plasmd.toml", "sudo plasmd check && sudo systemctl restart plasmd"},
		See:      see("plasmd-doctor(8)", "plasmd-serve(8)"),
	}
}

func doctorDoc() cli.Doc {
	return cli.Doc{
		Name: name + " doctor", Section: 8, Level: "info", Mixed: true, Notes: whereNote(),
		Summary:  "look for what usually goes wrong, and say what to do",
		Synopsis: []string{"[flags]"},
		About: []string{
			"Looks for what usually keeps a node from its work, and says what to do: settings, key, allow file, " +
				"worker, guards, memory, disk, clock, ports, peers, reachability, relay. It looks at the running " +
				"node; where none runs, at what plasmd serve would find. It changes nothing. What it cannot see as " +
				"the user who runs it is unknown, and not failed; run it as root to have all checked: it becomes " +
				"the user in whose hands the node is first, and starts and reads nothing of it as root.",
		},
		Exit: []cli.Term{
			{Name: "0", Text: "nothing has failed"},
			{Name: "1", Text: "a check failed"},
			wrongUse,
			closed,
		},
		Examples: []string{"sudo plasmd doctor", "plasmd doctor --json"},
		See:      see(),
	}
}
