package main

// plans are the lists of stages, by name. What fails fast comes first.
func plans() map[string][]stage {
	return map[string][]stage{
		"test": {
			{name: "gate", command: "make test-gate"},
			{name: "examples", command: "make examples-check", needs: []need{clang14}},
			{name: "lint", command: "make lint-go"},
			{name: "shellcheck", command: "make lint-shell", needs: []need{shellcheck}},
			{name: "lint-engines", command: "make lint-engines", needs: []need{compiler}},
			{name: "demo", command: "make demo-check"},
			{name: "cross", command: "make cross examples"},
			{name: "packages", command: "make test-package", needs: []need{static, cross, packers}},
			{name: "php", command: "make php", needs: []need{php}},
			{name: "engines", command: "make test-engines", needs: []need{compiler, static}},
			{name: "tests", command: "make cover", needs: []need{compiler}, without: "make test-plain"},
		},
		"check": {
			{name: "gate", command: "make test-gate"},
			{name: "build", command: "make build examples"},
			{name: "lint", command: "make lint-go"},
			{name: "shellcheck", command: "make lint-shell", needs: []need{shellcheck}},
			{name: "tests", command: "make test-check"},
		},
	}
}
