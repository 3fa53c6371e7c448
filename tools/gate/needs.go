package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// need is something that a machine may lack. It is there when try, a script for sh,
// succeeds: in a folder of its own, in which it may write.
type need struct {
	name string
	try  string
}

var (
	compiler = need{"C compiler, for the race detector, the engine, and what attacks both", `
		printf 'int main(void) { return 0; }\n' >try.c
		"${CC:-$(go env CC)}" -o try try.c && ./try`}
	static = need{"static C library", `
		printf 'int main(void) { return 0; }\n' >try.c
		"${CC:-$(go env CC)}" -static -o try try.c && ./try`}
	cross = need{"C compiler for arm64 with a static library", `
		printf 'int main(void) { return 0; }\n' >try.c
		aarch64-linux-gnu-gcc -static -o try try.c`}
	shellcheck = need{"shellcheck", `printf '#!/bin/sh\n' >try && shellcheck try`}
	clang14    = need{"clang 14.0.6 with lld and wasi-libc, byte for byte that of Debian 12", `
		clang="${CLANG:-clang-14}"
		"$clang" --version | grep -F 14.0.6
		printf 'int main(void) { return 0; }\n' >try.c
		"$clang" --target=wasm32-wasi -O2 -o try.wasm try.c`}
	php = need{"PHP 8.1 or later with pcov, and phpunit, phpcs", `
		php -r 'exit(PHP_VERSION_ID >= 80100 && extension_loaded("pcov") ? 0 : 1);'
		phpunit --version && phpcs --version`}
	packers = need{"lintian, rpm, man, zsh, fish, jq and openssl", `
		for command in lintian rpm man zsh fish jq; do "$command" --version; done
		openssl version`}
)

// unmet says which of the needs this machine lacks, "" when none.
func unmet(needs []need) string {
	var missing []string
	for _, n := range needs {
		if err := n.met(); err != nil {
			missing = append(missing, fmt.Sprintf("no %s (%v)", n.name, err))
		}
	}
	return strings.Join(missing, ", ")
}

var tried sync.Map // need to func() error

// met tries the need, once.
func (n need) met() error {
	once, _ := tried.LoadOrStore(n, sync.OnceValue(n.attempt))
	return once.(func() error)() //nolint:errcheck,forcetypeassert // what is stored above
}

func (n need) attempt() error {
	dir, err := os.MkdirTemp("", "gate-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // so that none hangs
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-euc", n.try)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return fmt.Errorf("%s%w", strings.TrimPrefix(lines[len(lines)-1]+": ", ": "), err)
}
