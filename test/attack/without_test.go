//go:build linux

package attack_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"plasm/lib/sandbox/seccomp"
	"plasm/test/attack"
)

// TestMissingGuards takes layers away, as a kernel without them would, and looks
// at what is claimed and done then.
func TestMissingGuards(t *testing.T) {
	t.Parallel()
	const eperm, enosys = int(unix.EPERM), int(unix.ENOSYS)
	landlock := []string{"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}
	type missing struct {
		name  string
		calls []string
		errno int
		lacks []string
		open  string // what comes of opening a file in a job with a folder
		cache bool   // whether the disk cache is used
	}
	tests := []missing{
		{"no Landlock", landlock, enosys, []string{"landlock"}, "done", false},
		{"Landlock denied", landlock, eperm, []string{"landlock"}, "done", false},
		{"rules denied", landlock[1:], eperm, []string{"landlock"}, "done", false},
		{"no seccomp", []string{"seccomp"}, enosys, []string{"seccomp"}, "EACCES", true},
		{"seccomp denied", []string{"seccomp"}, eperm, []string{"seccomp"}, "EACCES", true},
		{"neither", append([]string{"seccomp"}, landlock...), eperm, []string{"landlock", "seccomp"}, "done", false},
		{
			"another's answer to the probe",
			[]string{"getpgid"},
			int(seccomp.ProbeErrno),
			[]string{"seccomp"},
			"EACCES",
			true,
		},
		{"limits denied", []string{"memfd_create"}, eperm, []string{"rlimits"}, "EACCES", true},
		{"no close_range", []string{"close_range"}, enosys, []string{"nofds"}, "EACCES", true},
	}
	g := newGround(t)
	for _, with := range bothWorkers([]world{{}}) {
		for _, test := range tests {
			t.Run(test.name+with.name, func(t *testing.T) {
				t.Parallel()
				w := with
				w.filter = refusing(t, test.errno, test.calls...)
				if test.name == "neither" && os.Geteuid() == 0 { // then the filter came without it, and nothing sets it
					test.lacks = append(test.lacks, "nnp")
				}
				cache := g.folder(t, w)
				kept, granted := g.folder(t, w), g.folder(t, w)
				// With all guards, so that there is something in the cache that could be used.
				g.reports(t, with,
					[]attack.Job{{
						Plan:     attack.Plan{Stage: attack.Run, Attack: "nothing", Argument: "kept"},
						CacheDir: kept,
					}})
				r := g.reports(t, w, []attack.Job{
					{Plan: attack.Plan{Stage: attack.Run, Attack: "nothing"}, CacheDir: cache},
					trial{place: reading, attack: "open", argument: "/etc/passwd"}.job("", granted),
					trial{place: running, attack: "open", argument: "/etc/passwd"}.job("", granted),
					{Plan: attack.Plan{Stage: attack.Run, Attack: "nothing", Argument: "kept"}, CacheDir: kept},
				})
				want := slices.DeleteFunc(slices.Clone(allGuards),
					func(g string) bool { return slices.Contains(test.lacks, g) })
				if r[0].Status != "exit" || !slices.Equal(r[0].Guards, want) {
					t.Errorf("%+v, want guards %v", r[0], want)
				}
				entries, err := filepath.Glob(filepath.Join(cache, "*", "code"))
				keeps := test.cache && !slices.Contains(test.calls, "memfd_create") // what cannot be sealed is not kept
				if err != nil || (len(entries) > 0) != keeps {
					t.Errorf("cache: %v, %v", entries, err)
				}
				if r[3].Status != "exit" || r[3].Cached != test.cache {
					t.Errorf("what was kept: %+v", r[3])
				}
				if got := came(r[1]); got != test.open {
					t.Errorf("with a folder: %s, want %s", got, test.open)
				}
				alone := killed
				if slices.Contains(test.lacks, "seccomp") {
					alone = test.open
				}
				if got := came(r[2]); got != alone {
					t.Errorf("without a folder: %s, want %s", got, alone)
				}
				w.guards = test.lacks[:1]
				if r := g.reports(t, w,
					[]attack.Job{{Plan: attack.Plan{Stage: attack.Run, Attack: "nothing"}}}); r[0].Code != "guards" {
					t.Errorf("required and missing: %+v", r[0])
				}
			})
		}
	}
}

// TestFoldersWithoutFilter attacks granted folders where Landlock alone keeps
// them, as on a kernel without system-call filters.
func TestFoldersWithoutFilter(t *testing.T) {
	t.Parallel()
	bare := world{name: "no seccomp", filter: refusing(t, int(unix.ENOSYS), "seccomp")}
	hold(t, bothWorkers([]world{bare}), func(t *testing.T, g *ground, w world, granted string) []trial {
		t.Helper()
		in := func(name string) string { return filepath.Join(granted, name) }
		program := g.file(t, w, granted, "program", []byte("none"))
		must(t, os.Chmod(program, 0o700))
		return []trial{
			{writing, "create", in("new"), "done"},
			{writing, "fifo", in("fifo"), "EACCES"},
			{reading, "exec", program, "EACCES"},
			{writing, "exec", program, "EACCES"},
			{reading, "create", in("more"), "EACCES"},
			{reading, "mkdir", in("folder"), "EACCES"},
			{reading, "remove", program, "EACCES"},
		}
	})
}
