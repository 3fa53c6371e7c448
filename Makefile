# The targets that `make help` lists have their words after ##. What takes more
# than a line is a script in scripts/.

GO ?= go

# The toolchain that go.mod names, also where the environment says «local», as
# Go's container images do: an older one lacks fixes in crypto and net.
export GOTOOLCHAIN := auto

FUZZTIME ?= 10s
PLATFORMS := linux/amd64 linux/arm64 darwin/arm64 darwin/amd64

# From git where there is a repository with a commit, else «dev».
VERSION ?= $(shell { [ -e .git ] && git describe --tags --always --dirty; } 2>/dev/null || echo dev)

# The same bytes wherever they are built: no paths, no C library, and no version
# control but what VERSION says.
STATIC := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false
LDFLAGS := -s -w -X plasm/lib/cli/version.version=$(VERSION)

# Without the generator of manual pages in urfave/cli: the parser of Markdown that it
# brings would take 0.4 ms of each start, a worker's too.
TAGS := urfave_cli_no_docs

# On Linux the commands begin with a look at their resource limits: Go's runtime, which
# comes after it, would end with a trace where they are too low.
ENTRY := $(if $(filter linux/amd64 linux/arm64,$(subst $() $(),/,$(shell $(GO) env GOOS GOARCH))),-E plasm/lib/limit.entry)

# Where build puts the commands.
OUT ?= bin

# Where install puts them: below DESTDIR, to be found below PREFIX.
PREFIX ?= /usr/local
DESTDIR ?=

GO_EXAMPLES := examples/csvstat/csvstat.wasm examples/thumbnails/thumbnails.wasm

.DEFAULT_GOAL := help
.PHONY: help build install docs engines examples demo demo-check test check flaky deps lint lint-go lint-shell lint-engines test-engines test-gate test-plain test-check examples-check cross package release test-package php cover advisories bench bench-native timeline crowd soak fuzz clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the commands, static, in bin/
	$(STATIC) -tags $(TAGS) -ldflags '$(LDFLAGS) $(ENTRY)' -o $(OUT)/ ./cmd/...

engines: ## plasm-engine-wasmtime, in bin/; takes a C compiler; CC and GOARCH for another processor
	CGO_ENABLED=1 $(GO) -C engines/wasmtime build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(abspath $(OUT))/ ./plasm-engine-wasmtime

install: build ## commands, manual pages and completions, to PREFIX (/usr/local) below DESTDIR
	@GO='$(GO)' VERSION='$(VERSION)' OUT='$(OUT)' PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install

docs: build ## what is written from declarations: tables of flags, and the words of lib/job in docs, schemas and PHP
	@$(GO) run ./packaging/pages $(OUT) docs/commands.md
	@$(GO) run ./packaging/words

examples: $(GO_EXAMPLES) ## the example modules that are not committed

# Always asked for: go build knows better than make what has changed.
examples/%.wasm: FORCE
	GOOS=wasip1 GOARCH=wasm $(STATIC) -ldflags '-s -w' -o $@ ./$(@D)

demo: build ## a job here, one on three nodes, their receipts, a forged one, a killed node
	@scripts/demo

demo-check: build ## does docs/demo.svg show what the demo prints?
	@scripts/record-demo --check

# tools/gate has the stages of both.
test: .tools/gate ## everything that CI checks and this machine can; with STRICT=1 what it cannot is a failure
	@scripts/deps || echo 'test: what needs these packages is left out'
	@scripts/modules || echo 'test: what needs these modules is left out'
	@GO='$(GO)' .tools/gate test

check: .tools/gate ## for every day: build, lint and the tests that take nothing but Go, in two minutes
	@GO='$(GO)' .tools/gate check

flaky: .tools/gate ## each package's tests 20 times with -race on 1 and 4 processors; PACKAGES for some
	@GO='$(GO)' scripts/flaky $(PACKAGES)

deps: ## install what `make test` needs, or say what that is
	@scripts/deps

lint: lint-go lint-shell lint-engines ## go vet, golangci-lint, gofumpt, shellcheck

lint-go lint-engines: .tools/golangci-lint
lint-go lint-shell lint-engines:
	@GO='$(GO)' scripts/lint $(@:lint-%=%)

# Linters are pinned in a module of their own: go.mod is the product's.
.tools/golangci-lint: tools/go.mod
	$(GO) -C tools build -o ../.tools/ tool

# Go knows better than make what has changed, and writes the program only then.
.tools/gate: FORCE
	@$(GO) -C tools build -o ../.tools/ ./gate

examples-check: ## are the committed modules what their sources give, to the byte?
	@scripts/check-examples

cross: ## compile for every platform
	@set -e; for platform in $(PLATFORMS); do \
		echo "build $$platform"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} $(STATIC) -tags $(TAGS) ./...; \
	done

package: .tools/nfpm ## deb, rpm and apk of the commands, amd64 and arm64, and the engine, amd64, in dist/
	@GO='$(GO)' VERSION='$(VERSION)' scripts/package

release: .tools/nfpm .tools/cyclonedx-gomod ## packages, archives, SBOMs, SHA256SUMS and signed provenance, in dist/
	@GO='$(GO)' VERSION='$(VERSION)' scripts/release

test-package: .tools/gate .tools/nfpm .tools/cyclonedx-gomod ## the packages; as root on Debian machines in containers
	@GO='$(GO)' scripts/test-package

advisories: .tools/govulncheck ## engines with their end of support, and govulncheck over both modules
	@GO='$(GO)' scripts/advisories

.tools/govulncheck: tools/go.mod tools/go.sum
	$(GO) -C tools build -o ../.tools/ golang.org/x/vuln/cmd/govulncheck

.tools/nfpm: tools/go.mod
	$(GO) -C tools build -o ../.tools/ github.com/goreleaser/nfpm/v2/cmd/nfpm

.tools/cyclonedx-gomod: tools/go.mod
	$(GO) -C tools build -o ../.tools/ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

# The stages of `make test` that are no more than go test.
test-engines: .tools/gate
	@CGO_ENABLED=1 GO='$(GO)' .tools/gate go -C=engines/wasmtime -race ./...

test-gate: .tools/gate
	@CGO_ENABLED=0 GO='$(GO)' .tools/gate go -C=tools ./gate

test-plain: .tools/gate
	@CGO_ENABLED=0 GO='$(GO)' .tools/gate go $$($(GO) list ./... | grep -vE '^plasm/test/(attack|hostile|limits)$$')

test-check: .tools/gate
	@GO='$(GO)' scripts/test-check

php: build ## the PHP SDK: style, tests with real commands, coverage, examples
	@scripts/php

cover: .tools/gate ## all tests with -race, and at least 80 % of the statements covered
	@GO='$(GO)' scripts/coverage

bench: build examples ## the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem -timeout 1h ./...
	CGO_ENABLED=1 $(GO) -C engines/wasmtime test -run '^$$' -bench . -benchmem ./...

bench-native: ## our kernels against native code, in ten minutes: rewrites the figures in docs/
	$(GO) run ./bench/native --json docs/native.json --svg docs/native.svg --page docs/performance.md

timeline: ## draws where the time of a small job goes, into docs/performance.md
	$(GO) run ./bench/timeline --page docs/performance.md

crowd: ## 200 jobs at once to a fresh node of two slots, on an idle machine
	$(GO) test -count=1 -timeout 30m -v -run '^TestCrowd$$' ./test/faults -crowd 200

soak: ## ten minutes of jobs to three nodes, and what that comes to
	$(GO) test -count=1 -timeout 30m -v -run '^TestLoad$$' ./test/faults -soak 10m

fuzz: ## each fuzz target for FUZZTIME, 10s when not given
	@GO='$(GO)' scripts/fuzz $(FUZZTIME)

clean: ## remove what was built
	rm -rf bin .tools dist coverage $(GO_EXAMPLES)
