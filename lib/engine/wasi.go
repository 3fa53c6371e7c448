package engine

import (
	"plasm/lib/wasi"
	"plasm/lib/wasi/live"
	"plasm/lib/wasi/preview1"
)

// NewGuest returns what the functions of preview 1 work on, for a program that is about
// to start with h. The error is a *job.Error when somebody can do something about it.
func NewGuest(h Host) (*preview1.Guest, error) {
	folders, err := openDirs(h.Dirs)
	if err != nil {
		return nil, err
	}
	return preview1.New(wasi.New(wasi.Config{
		Args: append([]string{"module"}, h.Args...), Env: h.Env,
		Stdin: h.Stdin, StdinKnown: h.StdinKnown, Stdout: h.Stdout, Stderr: h.Stderr,
		Preopens: append(folders, h.Folders...), Real: h.Real, Seed: h.Seed, Clock: h.Clock,
	})), nil
}

// CheckHost returns why NewGuest would fail.
func CheckHost(h Host) error {
	folders, err := openDirs(h.Dirs)
	closeDirs(folders)
	return err
}

func openDirs(dirs []Dir) ([]wasi.Preopen, error) {
	var folders []wasi.Preopen
	for _, d := range dirs {
		dir, err := live.Open(d.Host, d.ReadOnly)
		if err != nil {
			closeDirs(folders)
			return nil, err
		}
		folders = append(folders, wasi.Preopen{Guest: d.Guest, Dir: dir})
	}
	return folders, nil
}

func closeDirs(folders []wasi.Preopen) {
	for _, f := range folders {
		_ = f.Dir.Close()
	}
}
