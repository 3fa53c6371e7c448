package cli

import (
	"strings"

	"plasm/lib/job"
)

// hintKey is what an error is about.
type hintKey struct {
	code job.Code
	fact job.Fact
}

// hints is the advice for errors of the libraries, which know no flag and no command.
// DETAIL stands for the error's Detail, and OTHER for what root's node can use instead.
func hints() map[hintKey]string {
	return map[hintKey]string{
		{job.CodeBadKey, job.FactNoHome}:      "say where it is with --key FILE",
		{job.CodeBadKey, job.FactKeyFile}:     "name another with --key FILE",
		{job.CodeIO, job.FactKeyFile}:         "name a place that can be written with --key FILE",
		{job.CodeUsage, job.FactNoPeerID}:     "a peer ID begins with 12D3KooW; plasm-run --identity prints yours",
		{job.CodeUsage, job.FactNoFolder}:     "say where it is with --data-dir DIR",
		{job.CodeIO, job.FactFolder}:          "name OTHER",
		{job.CodeBadKey, job.FactFolder}:      "name a folder that can be used with --DETAIL-dir DIR",
		{job.CodeIO, job.FactShared}:          "name another with --DETAIL-dir DIR; one that is not there is made",
		{job.CodeIO, job.FactInUse}:           "stop it, or name another folder with --DETAIL-dir DIR",
		{job.CodeIO, job.FactForeign}:         "run plasmd as that user, or name OTHER",
		{job.CodeDeadline, job.FactDeadline}:  "allow it more with --deadline",
		{job.CodeDeadline, job.FactUnread}:    "allow it more with --deadline, or have output written to files",
		{job.CodeNoNode, job.FactShort}:       "trust more nodes, or ask for fewer with --quorum",
		{job.CodeUsage, job.FactTwice}:        "leave it out there with --exclude",
		{job.CodeUsage, job.FactCannotTravel}: "leave it out with --exclude",
		{job.CodeUsage, job.FactNotEmpty}:     "--replace puts the new folder in its place",
		{job.CodeUsage, job.FactNotPublic}:    "give --reachability public when others can dial this machine",
		{job.CodeGuards, job.FactGuard}:       "run it on a machine that has it, or leave it out of --require-guards",
		{
			job.CodeGuards,
			job.FactNodeGuard,
		}: "mend what keeps it from being active, or say with --require-guards LIST what jobs " +
			"can do without",
		{job.CodeIO, job.FactLongPath}:    "name a shorter one with --runtime-dir DIR",
		{job.CodeIO, job.FactDiskFull}:    "make room on that disk, or name another folder with --data-dir DIR",
		{job.CodeIO, job.FactListen}:      "name another address with --metrics ADDR; with port 0 a free one is taken",
		{job.CodeNotFound, job.FactNoJob}: "plasmd jobs lists them",
		{
			job.CodeUsage,
			job.FactNoJobName,
		}: "give an ID as plasmd jobs shows it, at least DETAIL of its characters, or REQUESTER/ID",
	}
}

// advised returns e with the advice for its fact, or e itself where it has a hint or no fact.
func advised(e *job.Error) *job.Error {
	if e.Hint != "" || e.Fact == "" {
		return e
	}
	told := *e
	other := "a folder that can be written with --" + e.Detail + "-dir DIR"
	if e.Detail == "" {
		other = "another, which is root's alone"
	}
	told.Hint = strings.NewReplacer("DETAIL", e.Detail, "OTHER", other).Replace(hints()[hintKey{e.Code, e.Fact}])
	return &told
}
