package control

import (
	"path/filepath"
	"slices"
	"strings"

	"plasm/lib/job"
)

// Where a node that root runs has its folders.
const (
	systemData    = "/var/lib/plasmd"
	systemRuntime = "/run/plasmd"
)

// User is who looks for a node, or runs one: the environment and the effective
// user ID.
type User struct {
	Getenv func(string) string
	UID    int

	wasRoot bool
}

// As is u once it has become another user: it looks where it would have before.
func (u User) As(uid int) User {
	u.wasRoot = u.UsesRoots()
	u.UID = uid
	return u
}

// UsesRoots reports whether the default folders are root's.
func (u User) UsesRoots() bool { return u.UID == 0 || u.wasRoot }

// DataDir returns the default data folder: the first of $STATE_DIRECTORY (as
// systemd sets it, a list with colons), else /var/lib/plasmd for root, else
// $XDG_DATA_HOME/plasmd, with ~/.local/share for XDG_DATA_HOME when that is unset
// or not absolute. The error is a *job.Error.
func (u User) DataDir() (string, error) {
	if dir := u.fromSystemd("STATE_DIRECTORY"); dir != "" {
		return dir, nil
	}
	if u.UsesRoots() {
		return systemData, nil
	}
	if dir := u.userData(); dir != "" {
		return dir, nil
	}
	return "", &job.Error{
		Code:    job.CodeUsage,
		Message: "no place for the node's data: neither XDG_DATA_HOME nor HOME is an absolute path",
		Fact:    job.FactNoFolder,
	}
}

// RuntimeDir returns the default runtime folder of a node with the given data
// folder: the first of $RUNTIME_DIRECTORY, else /run/plasmd for root, else
// $XDG_RUNTIME_DIR/plasmd, else run in the data folder.
func (u User) RuntimeDir(dataDir string) string {
	if dir := u.fromSystemd("RUNTIME_DIRECTORY"); dir != "" {
		return dir
	}
	if u.UsesRoots() {
		return systemRuntime
	}
	if dir := u.userRuntime(); dir != "" {
		return dir
	}
	return filepath.Join(dataDir, "run")
}

// RuntimeDirs returns the folders in which a node may be that was started without
// --runtime-dir, by this user or by root, each once.
func (u User) RuntimeDirs() []string {
	var dirs []string
	add := func(dir string) {
		if dir != "" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	add(u.fromSystemd("RUNTIME_DIRECTORY"))
	add(systemRuntime)
	add(u.userRuntime())
	for _, data := range []string{u.fromSystemd("STATE_DIRECTORY"), systemData, u.userData()} {
		if data != "" {
			add(filepath.Join(data, "run"))
		}
	}
	return dirs
}

// fromSystemd returns the first folder in a variable that systemd sets for a
// service, or "".
func (u User) fromSystemd(name string) string {
	first, _, _ := strings.Cut(u.Getenv(name), ":")
	return absolute(first)
}

func (u User) userData() string {
	if base := absolute(u.Getenv("XDG_DATA_HOME")); base != "" {
		return filepath.Join(base, "plasmd")
	}
	if home := absolute(u.Getenv("HOME")); home != "" {
		return filepath.Join(home, ".local", "share", "plasmd")
	}
	return ""
}

func (u User) userRuntime() string {
	if base := absolute(u.Getenv("XDG_RUNTIME_DIR")); base != "" {
		return filepath.Join(base, "plasmd")
	}
	return ""
}

// absolute returns path, tidied, or "" where it is not absolute: the XDG base
// directory specification says to ignore it then.
func absolute(path string) string {
	if !filepath.IsAbs(path) {
		return ""
	}
	return filepath.Clean(path)
}
