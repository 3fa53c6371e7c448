//go:build linux

package attack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/test/attack"
)

// place is where an attack happens: a stage, and what the job was granted.
type place string

const (
	preparing  place = "preparing for another worker"
	compiling  place = "compiling"
	loading    place = "loading"
	running    place = "running"
	reading    place = "running with a read-only folder"
	writing    place = "running with a folder"
	both       place = "running with a read-only folder and a folder in it" // not among places
	everywhere place = ""
)

var places = []place{preparing, compiling, loading, running, reading, writing}

// trial is an attack and what must come of it.
type trial struct {
	place    place
	attack   string
	argument string
	want     string
}

func (tr trial) String() string { return fmt.Sprintf("%s: %s %s", tr.place, tr.attack, tr.argument) }

// spread repeats the trials whose place is everywhere.
func spread(trials []trial) []trial {
	var all []trial
	for _, tr := range trials {
		if tr.place != everywhere {
			all = append(all, tr)
			continue
		}
		for _, p := range places {
			tr.place = p
			all = append(all, tr)
		}
	}
	return all
}

// job makes a job that tries it; granted is a folder of the job's.
func (tr trial) job(cache, granted string) attack.Job {
	j := attack.Job{Plan: attack.Plan{Stage: attack.Run, Attack: tr.attack, Argument: tr.argument}}
	dir := engine.Dir{Host: granted, Dir: job.Dir{Guest: "/dir"}}
	switch tr.place {
	case preparing:
		j.Plan.Stage = attack.Prepare
	case compiling:
		j.Plan.Stage, j.CacheDir = attack.Compile, cache
	case loading:
		j.Plan.Stage, j.CacheDir = attack.Load, cache
	case reading:
		dir.ReadOnly = true
		j.Dirs = []engine.Dir{dir}
	case writing:
		j.Dirs = []engine.Dir{dir}
	case both:
		inner := engine.Dir{Host: filepath.Join(granted, "inner"), Dir: job.Dir{Guest: "/inner"}}
		dir.ReadOnly = true
		j.Dirs = []engine.Dir{dir, inner}
	default: // nothing is granted
	}
	return j
}

// hold checks that each trial comes to what it must in each world.
func hold(t *testing.T, worlds []world, trials func(t *testing.T, g *ground, w world, granted string) []trial) {
	t.Helper()
	g := newGround(t)
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			granted := g.folder(t, w)
			all := spread(trials(t, g, w, granted))
			if !strings.HasPrefix(w.name, ownUser) { // what differs between worlds shows in these two
				all = slices.DeleteFunc(all, func(tr trial) bool { return tr.place != running && tr.place != writing })
			}
			if w.c { // only plasm-run's workers prepare
				all = slices.DeleteFunc(all, func(tr trial) bool { return tr.place == preparing })
			}
			var jobs []attack.Job
			for _, tr := range all {
				jobs = append(jobs, tr.job(g.folder(t, w), granted))
			}
			for i, r := range g.reports(t, w, jobs) {
				if got := came(r); got != all[i].want {
					t.Errorf("%v: %s, want %s", all[i], got, all[i].want)
				}
			}
		})
	}
}

// TestFiles attacks files and folders that the user of the worker can use.
func TestFiles(t *testing.T) {
	t.Parallel()
	hold(t, worlds(t), func(t *testing.T, g *ground, w world, granted string) []trial {
		t.Helper()
		others := g.folder(t, w)
		key := g.file(t, w, others, "key.pem", []byte("secret"))
		paths := []string{
			"/", "/etc/passwd", "/proc/self/maps", "/proc/1/stat", "/proc/mounts", "/sys/devices/system/cpu/online",
			"/dev/zero", others, key, filepath.Dir(granted),
		}
		var all []trial
		for _, path := range paths {
			if what := g.bare(t, w, "open", path); what != "done" {
				t.Errorf("open %s without confinement: %s", path, what)
			}
		}
		for _, path := range append(paths, "/proc/"+attack.Supervisor+"/fd/0", "/proc/"+attack.Supervisor+"/mem") {
			for _, p := range places {
				all = append(all, trial{p, "open", path, opening(w, p)})
			}
		}
		return slices.Concat(all, []trial{
			{running, "stat", "/", killed},
			{compiling, "stat", "/", killed},
			{everywhere, "path", "/etc/passwd", killed},
			{reading, "escape", granted, "EACCES"},
			{writing, "escape", granted, "EACCES"},
		}, changes(w, key, others))
	})
}

// opening is what comes of opening a file that the job was not granted. No worker
// without folders opens any, but for one that maps its machine code.
func opening(w world, p place) string {
	if p == reading || p == writing || p == loading && w.c {
		return "EACCES"
	}
	return killed
}

// changes are attacks on a file and a folder of the user's that the job was not
// granted.
func changes(w world, file, folder string) []trial {
	in := func(name string) string { return filepath.Join(folder, name) }
	var all []trial
	for _, p := range places {
		opening, changing := opening(w, p), killed
		if p == writing {
			changing = "EACCES"
		}
		all = append(all,
			trial{p, "write", file, opening},
			trial{p, "create", in("new"), opening},
			trial{p, "tmp", folder, opening},
			trial{p, "mkdir", in("new"), changing},
			trial{p, "remove", file, changing},
			trial{p, "rename", file, changing},
			trial{p, "symlink", in("new"), changing},
			trial{p, "link", file, changing})
	}
	for _, deadly := range []string{"fifo", "chmod", "chown", "xattr"} {
		all = append(all, trial{everywhere, deadly, file, killed})
	}
	return all
}

// TestFolders attacks the folder that the job was granted.
func TestFolders(t *testing.T) {
	t.Parallel()
	hold(t, worlds(t), func(t *testing.T, g *ground, w world, granted string) []trial {
		t.Helper()
		file := g.file(t, w, granted, "file", []byte("text"))
		in := func(name string) string { return filepath.Join(granted, name) }
		must(t, os.Mkdir(in("inner"), 0o700))
		g.give(t, w, in("inner"))
		return []trial{
			{both, "write", file, "EACCES"},
			{both, "create", in("new"), "EACCES"},
			{both, "remove", file, "EACCES"},
			{both, "link", file, "EACCES"},
			{both, "create", in("inner/new"), "done"},
			{reading, "open", file, "done"},
			{reading, "write", file, "EACCES"},
			{reading, "create", in("new"), "EACCES"},
			{reading, "mkdir", in("new"), killed},
			{reading, "remove", file, killed},
			{reading, "control", file, killed},
			{writing, "open", file, "done"},
			{writing, "create", in("new"), "done"},
			{writing, "mkdir", in("folder"), "done"},
			{writing, "symlink", in("symlink"), "done"},
			{writing, "open", in("symlink"), "EACCES"},
			{writing, "control", file, killed},
			{writing, "fifo", in("fifo"), killed},
			{writing, "chmod", file, killed},
		}
	})
}

// TestTravellingFolders attacks from a job with folders that travel: of all descriptors
// it reads two by position, the pack and the scratch file, and writes one, and does
// nothing else with any; it opens nothing.
func TestTravellingFolders(t *testing.T) {
	t.Parallel()
	const descriptors = 16 // more than any worker has
	g := newGround(t)
	for _, w := range worlds(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			try := func(name string, numbers []string) map[string][]string {
				var jobs []attack.Job
				for _, n := range numbers {
					jobs = append(jobs, attack.Job{
						Plan:   attack.Plan{Stage: attack.Run, Attack: name, Argument: n},
						Travel: true,
					})
				}
				results := map[string][]string{}
				for i, r := range g.reports(t, w, jobs) {
					results[came(r)] = append(results[came(r)], numbers[i])
				}
				return results
			}
			var all []string
			for n := range descriptors {
				all = append(all, strconv.Itoa(n))
			}
			read, written := try("pread", all), try("pwrite", all)
			if len(read["done"]) != 2 || len(read[killed]) != descriptors-2 {
				t.Fatalf("read by position: %v", read)
			}
			if len(written["done"]) != 1 || len(written[killed]) != descriptors-1 ||
				!slices.Contains(read["done"], written["done"][0]) {
				t.Fatalf("written by position: %v", written)
			}
			for _, deadly := range []string{"preadv", "truncate", "duplicate", "map descriptor"} {
				if got := try(deadly, read["done"]); len(got[killed]) != 2 {
					t.Errorf("%s: %v", deadly, got)
				}
			}
			if got := try("pwrite beyond", written["done"]); len(got["EFBIG"]) != 1 {
				t.Errorf("written beyond what the job may: %v", got)
			}
			if got := try("open", []string{"/etc/passwd"}); len(got[killed]) != 1 {
				t.Errorf("open: %v", got)
			}
		})
	}
}

// TestCache attacks the compiled modules of others: what is kept, and what is
// being made.
func TestCache(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, w := range worlds(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			cache := g.folder(t, w)
			first := g.reports(t, w,
				[]attack.Job{{Plan: attack.Plan{Stage: attack.Run, Attack: "nothing"}, CacheDir: cache}})
			kept, err := filepath.Glob(filepath.Join(cache, "*", "code"))
			if err != nil || len(kept) != 1 || first[0].Status != "exit" {
				t.Fatalf("%v, %v, %v", kept, err, first)
			}
			staging := filepath.Join(cache, "staging", "plasm-other")
			must(t, os.Mkdir(staging, 0o700))
			g.give(t, w, staging)
			being := g.file(t, w, staging, "file", []byte("half a module"))
			inUse, err := os.Open(staging)
			must(t, err)
			must(t, unix.Flock(int(inUse.Fd()), unix.LOCK_EX))
			defer func() { _ = inUse.Close() }()
			var jobs []attack.Job
			var all []trial
			for _, tr := range []trial{
				{"", "open", kept[0], ""},
				{"", "write", kept[0], ""},
				{"", "open", filepath.Dir(kept[0]), ""},
				{"", "create", kept[0] + ".new", ""},
				{"", "open", being, ""},
				{"", "write", being, ""},
				{"", "open", cache, ""},
				{"", "create", filepath.Join(cache, "new"), ""},
			} {
				for _, tr.place = range []place{compiling, loading} {
					tr.want = opening(w, tr.place)
					all, jobs = append(all, tr), append(jobs, tr.job(cache, ""))
				}
			}
			for i, r := range g.reports(t, w, jobs) {
				if got := came(r); got != all[i].want {
					t.Errorf("%v: %s, want %s", all[i], got, all[i].want)
				}
			}
		})
	}
}

// TestCodeIsBounded has a compiling worker write machine code without an end.
func TestCodeIsBounded(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, w := range bothWorkers([]world{{}}) {
		r := g.reports(t, w, []attack.Job{{Plan: attack.Plan{Stage: attack.Compile, Attack: "code without end"}}})
		if r[0].Code != "compile_limit" || r[0].Message != "the compiled module takes more than 536870912 bytes" {
			t.Errorf("%s: %+v", w.name, r[0])
		}
	}
}

// TestMemory attacks by memory: what it may be, and how much.
func TestMemory(t *testing.T) {
	t.Parallel()
	hold(t, worlds(t), func(_ *testing.T, _ *ground, w world, _ string) []trial {
		library := func(what string) string { // what the C library does
			if w.c {
				return what
			}
			return killed
		}
		all := []trial{
			{everywhere, "map rw", "", "done"},
			{everywhere, "map rwx", "", killed},
			{everywhere, "map rx", "", killed},
			{everywhere, "map rx stack", "", killed},
			{everywhere, "map rx unreserved", "", killed},
			{everywhere, "map growing stack", "", killed},
			{everywhere, "map stack", "", library("done")},
			{everywhere, "map unreserved", "", library("done")},
			{everywhere, "map unreserved beyond", "", library("ENOMEM")},
			{everywhere, "reserve beyond", "", "ENOMEM"},
			{everywhere, "reserve unreserved beyond", "", library("ENOMEM")},
			{everywhere, "map code", "", killed},
			{everywhere, "map shared file", "", killed},
			{everywhere, "move", "", library("done")},
			{everywhere, "move onto", "", killed},
			{everywhere, "move away", "", killed},
			{everywhere, "grow beyond", "", library("ENOMEM")},
			{everywhere, "heap beyond", "", library("as it was")},
			{everywhere, "map shared", "", killed},
			{everywhere, "map growing", "", killed},
			{everywhere, "map huge", "", "ENOMEM"},
			{everywhere, "map beyond", "", "ENOMEM"},
			{everywhere, "make rwx", "", killed},
			{everywhere, "poison", "", killed},
			{everywhere, "merge", "", killed},
			{everywhere, "futex that inherit", "", killed},
		}
		for _, p := range places {
			want := "done" // that is what a compiler does
			if p == preparing || p == running || p == reading || p == writing {
				want = killed
			}
			file := killed // but for an engine that maps what it has compiled
			if p == loading {
				file = library("EBADF")
			}
			all = append(all, trial{p, "map file", "", file})
			// Room for a guest's 4 GiB is there once in its worker, whoever takes it.
			reserved := library("done")
			if p == compiling {
				reserved = library("ENOMEM")
			}
			all = append(all, trial{p, "make executable", "", want}, trial{p, "use 4 GiB", "", reserved},
				trial{p, "use 8 GiB", "", library("ENOMEM")})
		}
		return all
	})
}

// TestThreadsBeyond starts threads until no memory is left for one. The C library
// tries again for a while, and then the job has run out of memory.
func TestThreadsBeyond(t *testing.T) {
	t.Parallel()
	hold(t, bothWorkers(users(t)[:1])[1:], func(*testing.T, *ground, world, string) []trial {
		return []trial{{running, "threads beyond", "", "out_of_memory|||"}}
	})
}

// TestProcesses attacks by and with processes.
func TestProcesses(t *testing.T) {
	t.Parallel()
	hold(t, worlds(t), func(t *testing.T, _ *ground, w world, _ string) []trial {
		t.Helper()
		terminal := killed
		if w.c {
			terminal = "ENOTTY" // the C library asks whether it writes to one
		}
		nr := numbers(t)
		call := func(name, arguments string) string { return nr[name] + " " + arguments }
		return []trial{
			{everywhere, "exec", "", killed},
			{everywhere, "fork", "", killed},
			{everywhere, "vfork", "", killed},
			{everywhere, "fork namespaces", "", killed},
			{everywhere, "clone to mprotect", "", killed},
			{everywhere, "fork with this memory", "", killed},
			{everywhere, "call", call("ioctl", "0 0x5412"), killed}, // type on a terminal
			{everywhere, "call", call("ioctl", "0 0x5401"), terminal},
			{everywhere, "call", call("clone3", "0 88"), "ENOSYS"},
			{everywhere, "call", call("kill", attack.Supervisor+" 0"), killed},
			{everywhere, "call", call("kill", "-1 0"), killed},
			{everywhere, "call", call("tgkill", attack.Supervisor+" "+attack.Supervisor+" 0"), killed},
			{everywhere, "call", call("ptrace", "0x4206 "+attack.Supervisor), killed},
			{everywhere, "call", call("pidfd_open", attack.Supervisor+" 0"), killed},
			{everywhere, "call", call("process_vm_readv", attack.Supervisor), killed},
			{everywhere, "call", call("prctl", "4 1"), killed},  // to be dumpable again
			{everywhere, "call", call("prctl", "1 0"), killed},  // to outlive the parent
			{everywhere, "call", call("prctl", "22 2"), killed}, // the older way to lay a filter
			{everywhere, "call", call("seccomp", "3 0"), killed},
			{everywhere, "call", call("getpgid", "0"), killed},
		}
	})
}

// forbidden are calls that no worker can make, whatever their arguments.
const forbidden = `
	accept accept4 access acct add_key adjtimex arch_prctl bind bpf brk capget capset chdir chmod chown chroot
	clock_adjtime clock_settime close_range connect copy_file_range creat delete_module dup dup2 dup3 epoll_pwait2
	execve execveat faccessat faccessat2 fallocate fanotify_init fchdir fchmod fchmodat fchmodat2 fchown fchownat
	finit_module flock fork fsconfig fsetxattr fsmount fsopen fspick futex_wait futex_waitv get_robust_list getcwd
	getppid getrusage getuid getxattr init_module inotify_add_watch inotify_init1 io_setup io_submit
	io_uring_enter io_uring_register io_uring_setup ioctl ioperm iopl kcmp kexec_file_load kexec_load keyctl
	landlock_add_rule landlock_create_ruleset landlock_restrict_self link listen lsm_list_modules map_shadow_stack
	mbind membarrier memfd_create memfd_secret mincore mkdir mknod mknodat mlock mlockall modify_ldt mount
	mount_setattr move_mount move_pages mq_open mremap msgget name_to_handle_at open open_by_handle_at open_tree
	openat2 perf_event_open personality pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 pivot_root pkey_alloc
	pkey_mprotect preadv prlimit64 process_madvise process_mrelease process_vm_readv process_vm_writev ptrace
	quotactl readv reboot recvfrom recvmsg remap_file_pages rename renameat2 request_key rseq rt_sigqueueinfo
	rt_tgsigqueueinfo sched_setaffinity sched_setscheduler semget sendfile sendmsg sendto set_mempolicy
	set_robust_list set_tid_address setfsuid setgid setgroups sethostname setitimer setns setpgid setpriority
	setresuid setreuid setrlimit setsid setsockopt settimeofday setuid setxattr shmat shmget signalfd4 splice stat
	statfs statx swapoff swapon symlink sync syslog tee timer_create timerfd_create tkill truncate umask umount2
	uname unlink unshare uselib userfaultfd utime vfork vhangup vmsplice wait4 waitid writev`

// library are those of them that a worker with the C library in it can make, and
// what comes of that without arguments.
var library = map[string]string{"brk": "done", "rseq": "EINVAL", "set_robust_list": "EINVAL"}

// TestForbiddenCalls makes each, which no profile allows: the table of package
// seccomp says the same of each profile.
func TestForbiddenCalls(t *testing.T) {
	t.Parallel()
	hold(t, bothWorkers(users(t)[:1]), func(t *testing.T, _ *ground, w world, _ string) []trial {
		t.Helper()
		nr := numbers(t)
		var all []trial
		for name := range strings.FieldsSeq(forbidden) {
			n, ok := nr[name]
			if !ok {
				continue // some are of one architecture
			}
			want := killed
			if what, may := library[name]; may && w.c {
				want = what
			}
			all = append(all, trial{writing, "call", n, want})
		}
		return all
	})
}

// TestSockets tries each family of addresses.
func TestSockets(t *testing.T) {
	t.Parallel()
	hold(t, extremes(t), func(*testing.T, *ground, world, string) []trial {
		all := []trial{{everywhere, "socketpair", "", killed}}
		for family := range 46 {
			all = append(all, trial{running, "socket", strconv.Itoa(family), killed})
		}
		return all
	})
}
