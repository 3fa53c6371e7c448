package page

import (
	"image"
	"image/png"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/test/need"
)

// TestInChromium has a browser show the page, light and dark: its style sheet and its
// plots are let through by its own policy, and what it says is what the server sent.
func TestInChromium(t *testing.T) {
	t.Parallel()
	need.Found(t, "chromium")
	v := sample()
	server := httptest.NewServer(Handler(func() *View { return v }))
	t.Cleanup(server.Close)
	url := server.URL + "/?refresh=off"

	sent := readable(t, body(t, get(t, v, "GET", "/?refresh=off")))
	if diff := cmp.Diff(sent, readable(t, chromium(t, "--dump-dom", url))); diff != "" {
		t.Errorf("the browser has (-sent +got):\n%s", diff)
	}
	for _, look := range []struct {
		name, scheme string
		back, line   [3]uint8 // of the page, and of a plot
	}{
		{"light", "1", [3]uint8{0xff, 0xff, 0xff}, [3]uint8{0x0b, 0x62, 0xa8}},
		{"dark", "0", [3]uint8{0x14, 0x18, 0x1c}, [3]uint8{0x7c, 0xc4, 0xff}},
	} {
		file := filepath.Join(t.TempDir(), look.name+".png")
		chromium(t, "--screenshot="+file, "--window-size=1000,1400", "--hide-scrollbars",
			"--blink-settings=preferredColorScheme="+look.scheme, url)
		shot := load(t, file)
		if got := colour(shot, 2, 2); got != look.back {
			t.Errorf("%s: the page is %x", look.name, got)
		}
		if n := count(shot, look.line); n < 300 {
			t.Errorf("%s: %d pixels of the plots' lines", look.name, n)
		}
	}
}

// chromium runs a headless browser and returns its standard output.
func chromium(t *testing.T, args ...string) string {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "chromium", append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--user-data-dir=" + filepath.Join(home, "chromium"),
	}, args...)...)
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium %q: %v: %s", args, err, said.String())
	}
	return string(out)
}

func load(t *testing.T, file string) image.Image {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	shot, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return shot
}

// colour is a pixel's red, green and blue.
func colour(shot image.Image, x, y int) [3]uint8 {
	r, g, b, _ := shot.At(x, y).RGBA()
	return [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
}

// count is how many pixels have exactly that colour.
func count(shot image.Image, want [3]uint8) (n int) {
	for y := range shot.Bounds().Dy() {
		for x := range shot.Bounds().Dx() {
			if colour(shot, x, y) == want {
				n++
			}
		}
	}
	return n
}
