package packages

import (
	"fmt"
	"os"
	"testing"
)

// What scripts/test-package says: where the packages are, and a Debian root.
const (
	packagesVariable = "PLASM_TEST_PACKAGES"
	rootVariable     = "PLASM_TEST_ROOT"
)

// Versions that scripts/test-package builds of the one tree.
const (
	oldVersion = "0.9.0"
	newVersion = "0.10.0"
)

func TestMain(m *testing.M) {
	if built() == "" {
		return
	}
	os.Exit(m.Run())
}

// built is the folder of the packages: in old one of a lower version, in new all of
// the other, in again those of new once more.
func built() string { return os.Getenv(packagesVariable) }

func rootImage() string { return os.Getenv(rootVariable) }

// deb is where a machine has a package.
func deb(folder, version string) string {
	return fmt.Sprintf("/packages/%s/plasm_%s-1_amd64.deb", folder, version)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
