package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"plasm/lib/control"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/sandbox"
)

// checkSettings is about flags, variables and the configuration file.
func checkSettings(_ context.Context, p *Patient) Finding {
	const name = "settings"
	switch {
	case p.Settings != nil:
		hint := "mend it; plasmd serve --print-config prints what the settings come to"
		return found(name, Failed, hint, "%v", p.Settings)
	case p.Config == "":
		return ok(name, "no configuration file")
	}
	return ok(name, "%s", p.Config)
}

// checkNode is about the running node.
func checkNode(_ context.Context, p *Patient) Finding {
	const name = "node"
	switch {
	case p.Status == nil && p.Shut != "":
		if p.PeerID == "" {
			return found(name, Unknown, p.askHint(), "there may be one in %s, which this user may not ask", p.Shut)
		}
		return found(name, Unknown, p.askHint(), "%s is in %s, and this user may not ask how it is", p.PeerID, p.Shut)
	case p.Status == nil:
		hint := "start one with plasmd serve"
		if p.Service {
			hint = "sudo systemctl start plasmd; journalctl --unit plasmd says why it ended"
		}
		return found(name, Failed, hint, "%v", p.Unheard)
	case p.Status.Node.Version != p.Version:
		hint := "start it anew"
		if p.Service {
			hint = "sudo systemctl restart plasmd"
		}
		return found(name, Warning, hint, "the running node is version %s, this command %s", p.Status.Node.Version,
			p.Version)
	}
	if p.Status.State == control.StateDraining {
		hint := "it ends then; plasmd jobs shows them"
		return found(name, Warning, hint, "%s takes no more jobs, and waits for %s", p.Status.Node.PeerID,
			p.Status.Waits())
	}
	return ok(name, "%s is %s, since %s", p.Status.Node.PeerID, p.Status.State, p.Status.StartedAt)
}

// checkKey is about the node's key.
func checkKey(_ context.Context, p *Patient) Finding {
	const name = "key"
	key, err := identity.Load(p.KeyPath, p.Credentials)
	switch {
	case err == nil:
		if p.Status != nil && p.Status.Node.PeerID != key.PeerID() {
			return found(name, Failed, "start the node anew, or put the old key back",
				"%s is the key of %s, and the running node is %s", p.KeyPath, key.PeerID(), p.Status.Node.PeerID)
		}
		return ok(name, "%s, for its owner only", p.KeyPath)
	case errors.Is(err, fs.ErrPermission):
		return found(name, Unknown, "run it as root: sudo plasmd doctor", "%s cannot be looked at by this user",
			p.KeyPath)
	case errors.Is(err, fs.ErrNotExist) && p.Status == nil:
		return found(name, Unknown, "plasmd serve makes one when it starts", "there is no key yet: %s", p.KeyPath)
	}
	hint := "put it back from a copy; without the key this is another node"
	if e, isOurs := errors.AsType[*job.Error](err); isOurs && e.Hint != "" {
		hint = e.Hint
		if p.Service && strings.HasPrefix(hint, "chmod ") { // as root it would follow a link
			hint = "sudo -u plasmd " + hint
		}
	}
	return found(name, Failed, hint, "%v", err)
}

// checkAllow is about who may submit.
func checkAllow(_ context.Context, p *Patient) Finding {
	const name = "allow"
	data, err := identity.ReadRegular(p.AllowFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	var listed *identity.List
	if err == nil {
		listed, err = identity.ParseList(identity.AllowFile, data, p.AllowFile)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		if p.Status == nil {
			return found(name, Unknown, "run it as root: sudo plasmd doctor", "%s cannot be looked at by this user",
				p.AllowFile)
		}
		return p.allowed(p.Status.Allow.Any, p.Status.Allow.Peers)
	case err != nil:
		return found(name, Failed, "mend or remove that line; the node goes on with the list that it read last", "%v",
			err)
	}
	given := slices.DeleteFunc(slices.Clone(p.Given), func(word string) bool { return word == "any" })
	return p.allowed(listed.Any || slices.Contains(p.Given, "any"), len(listed.Peers)+len(given))
}

// allowed is a finding about a list that could be read.
func (p *Patient) allowed(anybody bool, listed int) Finding {
	const name = "allow"
	switch {
	case anybody:
		return found(name, Warning, p.asRoot("plasmd allow --remove any")+", if that is not meant",
			"everybody may submit jobs: %s", p.AllowFile)
	case listed == 0:
		return found(name, Warning, p.asRoot("plasmd allow PEERID")+
			", with what plasm-run --identity prints for who is to submit", "nobody may submit jobs: %s", p.AllowFile)
	}
	return ok(name, "%d may submit jobs: %s", listed, p.AllowFile)
}

// checkWorker is about the plasm-run that runs jobs.
func checkWorker(ctx context.Context, p *Patient) Finding {
	const name = "worker"
	if p.Strange {
		return found(name, Unknown, "run it as root: sudo plasmd doctor",
			"%s is what another user's node says, and is not started", p.Worker)
	}
	build, err := sandbox.AskBuild(ctx, p.Worker)
	if err != nil {
		hint := "install the package again, or name it with --worker PATH"
		return found(name, Failed, hint, "%v", err)
	}
	if build.Version != p.Version {
		return found(name, Warning, "install both from one package", "%s is version %s, plasmd %s", p.Worker,
			build.Version, p.Version)
	}
	return ok(name, "%s, version %s, %s %s", p.Worker, build.Version, build.Engines[0].Name, build.Engines[0].Version)
}

// checkEngines is about the engines that are executables of their own: one that is
// installed must be one that the node uses.
func checkEngines(_ context.Context, p *Patient) Finding {
	const name = "engines"
	var dirs, here []string
	if p.Engines != "" {
		dirs = append(dirs, p.Engines)
	}
	dirs = append(dirs, filepath.Dir(p.Worker))
	for _, other := range sandbox.OtherEngines() {
		installed, err := sandbox.FindEngine(p.Version, other, dirs...)
		if errors.Is(err, sandbox.ErrNoEngine) {
			continue
		}
		if e, isOurs := errors.AsType[*job.Error](err); isOurs {
			return found(name, Warning, e.Hint, "%s", e.Message)
		}
		if fault := other.Fault(runtime.GOARCH); fault != "" {
			return found(name, Warning, "remove it: nothing uses it but plasm-run --engine "+other.Name,
				"%s is left out: %s", installed.Worker[0], fault)
		}
		used := func(e job.NodeEngine) bool { return e.Name == other.Name }
		if p.Status != nil && !slices.ContainsFunc(p.Status.Node.Engines, used) {
			hint := "the node's log says why, behind «engine left out», or it was started before: start it anew"
			if p.Service {
				hint = "journalctl --unit plasmd --grep 'engine left out' says why, or it came later: sudo " +
					"systemctl restart plasmd"
			}
			return found(name, Warning, hint, "%s is there, and the node does not use it", installed.Worker[0])
		}
		here = append(here, other.Name+" "+other.Version)
	}
	if len(here) == 0 {
		return ok(name, "the one in the worker, and no other")
	}
	return ok(name, "%s, and the one in the worker", strings.Join(here, ", "))
}

// checkGuards is about what confines jobs.
func checkGuards(ctx context.Context, p *Patient) Finding {
	const name = "guards"
	var active []string
	if p.Status != nil {
		active = p.Status.Node.Guards
	} else {
		build, err := sandbox.AskBuild(ctx, p.Worker)
		if err != nil {
			return found(name, Unknown, "mend the worker first", "no worker can be asked")
		}
		supervisor := sandbox.New(sandbox.Config{
			Worker: []string{p.Worker, "--worker"}, Engine: build.Engines[0],
			Version: build.Version,
		})
		defer supervisor.Close()
		if active, err = supervisor.Probe(ctx, nil); err != nil {
			hint := "something around this process forbids what workers need: a container's system-call filter, " +
				"or limits"
			if e, ok := errors.AsType[*job.Error](err); ok && e.Hint != "" {
				hint = e.Hint
			}
			return found(name, Failed, hint, "a worker runs nothing: %v", err)
		}
	}
	var missing []string
	for _, g := range job.Guards() {
		if !slices.Contains(active, g) {
			missing = append(missing, g)
		}
	}
	if len(missing) == 0 {
		return ok(name, "%s", strings.Join(active, ", "))
	}
	state := Warning
	for _, g := range p.RequireGuards {
		if slices.Contains(missing, g) {
			state = Failed
		}
	}
	return found(name, state, guardHint(missing), "not active: %s", strings.Join(missing, ", "))
}

// guardHint says what the first missing guard asks for.
func guardHint(missing []string) string {
	switch {
	case slices.Contains(missing, "landlock"):
		return "Landlock needs Linux 5.13 with landlock among the modules of lsm= (cat /sys/kernel/security/lsm), " +
			"and a container that allows its system calls"
	case slices.Contains(missing, "seccomp"):
		return "seccomp needs CONFIG_SECCOMP_FILTER and a container that allows seccomp(2)"
	}
	return "see docs/security.md for what each guard does, and --require-guards for doing without"
}

// checkMemory is about what jobs can have.
func checkMemory(_ context.Context, p *Patient) Finding {
	const name = "memory"
	memory, slots := p.MemoryMB, p.Slots
	if p.Status != nil {
		memory, slots = p.Status.Node.MemoryMB, p.Status.Node.Slots.Total
	}
	const usual = 256 // MB: what a job asks for that says nothing
	hint := "give it more: " + p.settings("memory")
	if p.Service {
		hint = "give the service more: sudo systemctl edit plasmd, [Service] MemoryMax="
	}
	switch {
	case slots < 1:
		return found(name, Failed, hint, "%d jobs at a time", slots)
	case memory < usual:
		return found(name, Failed, hint, "%d MB for all jobs; one asks for %d MB when it says nothing", memory, usual)
	case memory/slots < usual:
		return found(name, Warning, hint+"; or fewer slots",
			"%d MB for %d jobs at a time; one asks for %d MB when it says nothing", memory, slots, usual)
	}
	return ok(name, "%d MB for %d jobs at a time", memory, slots)
}

// lowDisk is below what a node hardly gets through a day, in bytes.
const lowDisk = 1 << 30

// checkDisk is about room for modules, results and what jobs read and write.
func checkDisk(_ context.Context, p *Patient) Finding {
	const name = "disk"
	free, err := freeDisk(p.DataDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found(name, Unknown, "plasmd serve makes it when it starts", "there is no data folder yet: %s",
			p.DataDir)
	case err != nil:
		return found(name, Unknown, "run it as root: sudo plasmd doctor", "%s: %v", p.DataDir, err)
	case errors.Is(writable(p.DataDir), syscall.EROFS):
		return found(name, Failed, "mount it to be written to (findmnt -T "+p.DataDir+
			" says what it is on), or move it: "+p.settings("data-dir"),
			"%s is on a file system that is read-only", p.DataDir)
	case errors.Is(writable(p.DataDir), syscall.EACCES):
		return found(name, Failed, "chmod u+rwx "+p.DataDir+", or move it: "+p.settings("data-dir"),
			"%s may not be written to by its owner", p.DataDir)
	case free < lowDisk:
		return found(name, Failed, "make room, or move it: "+p.settings("data-dir"), "%s has %d MB left", p.DataDir,
			free>>20)
	case free < p.Disk:
		return found(name, Warning, "jobs are rejected when it is full; make room, or keep less: "+
			p.settings("keep-jobs = BYTES"),
			"%s has %d MB left, and the node may keep %d MB", p.DataDir, free>>20, p.Disk>>20)
	}
	return ok(name, "%s has %d MB left", p.DataDir, free>>20)
}

// writable returns why nothing can be made in a folder, EACCES only to its owner: others
// need not be able to.
func writable(dir string) error {
	err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	if !errors.Is(err, syscall.EACCES) {
		return err
	}
	info, failed := os.Stat(dir)
	if failed != nil {
		return failed
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) == os.Geteuid() {
		return err
	}
	return nil
}

// freeDisk returns what a user without rights can still write below dir, in bytes.
func freeDisk(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("statfs: %w", err)
	}
	return int64(st.Bavail * uint64(st.Bsize)), nil
}

// checkClock is about the times in receipts.
func checkClock(_ context.Context, p *Patient) Finding {
	const name = "clock"
	const hint = "timedatectl set-ntp true, or whatever keeps this machine's clock"
	now := time.Now()
	if info, err := os.Stat(p.KeyPath); err == nil && now.Before(info.ModTime()) {
		return found(name, Failed, hint, "it is %s, before the node's key was made (%s)", job.FormatTime(now),
			job.FormatTime(info.ModTime()))
	}
	synchronised, known := clockSynchronised()
	switch {
	case !known:
		return found(name, Unknown, "receipts say when a job ran by this clock; compare it with another",
			"it is %s; whether it is kept cannot be told", job.FormatTime(now))
	case !synchronised:
		return found(name, Warning, hint, "it is %s, and nothing keeps the clock; receipts say when a job ran by it",
			job.FormatTime(now))
	}
	return ok(name, "%s, kept by a time service", job.FormatTime(now))
}
