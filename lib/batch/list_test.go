package batch_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/batch"
	"plasm/lib/job"
)

// all reads a list to its end, each item as its number and its argument or error.
func all(t *testing.T, l batch.List) []string {
	t.Helper()
	var items []string
	for {
		it, err := l.Next()
		if errors.Is(err, io.EOF) {
			return items
		}
		if err != nil {
			t.Fatal(err)
		}
		if it.Err != nil {
			items = append(items, fmt.Sprintf("%d! %v", it.Index, it.Err))
		} else {
			items = append(items, fmt.Sprintf("%d %s", it.Index, strings.Join(it.Line.Args, "|")))
		}
	}
}

func putLine(line string, number int64) (*batch.Item, error) {
	return &batch.Item{Index: number, Line: &batch.Line{Args: []string{line}}}, nil
}

func putObject(line *batch.Line, number int64) (*batch.Item, error) {
	return &batch.Item{Index: number, Line: line}, nil
}

func TestLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", batch.MaxLine)
	const tooLong = "longer than 1048576 bytes, the most that a line may have"
	for _, test := range []struct {
		name, list string
		end        byte
		want       []string
	}{
		{"none", "", '\n', nil},
		{"some", "a\nb c\n", '\n', []string{"1 a", "2 b c"}},
		{"no end", "a\nb", '\n', []string{"1 a", "2 b"}},
		{"empty lines", "\n\na\n", '\n', []string{"1 ", "2 ", "3 a"}},
		{"spaces and CR stay", " a \r\n", '\n', []string{"1  a \r"}},
		{"NUL", "a\nb\x00\x00c", 0, []string{"1 a\nb", "2 ", "3 c"}},
		{"NUL in a line", "a\x00b\nc\n", '\n', []string{"1! 3 bytes that are not UTF-8 without NUL", "2 c"}},
		{"no UTF-8", "a\xff\nc\n", '\n', []string{"1! 2 bytes that are not UTF-8 without NUL", "2 c"}},
		{"the longest", long + "\nc\n", '\n', []string{"1 " + long, "2 c"}},
		{"longer", long + "x\nc\n", '\n', []string{"1! " + tooLong, "2 c"}},
		{"longer at the end", "c\n" + long + "x", '\n', []string{"1 c", "2! " + tooLong}},
	} {
		for name, r := range map[string]io.Reader{
			"whole":  strings.NewReader(test.list),
			"halves": iotest.HalfReader(strings.NewReader(test.list)),
		} {
			l := batch.NewLines(r, test.end, putLine)
			if got := all(t, l); !slices.Equal(got, test.want) || l.Read() != int64(len(test.list)) {
				t.Errorf("%s, %s: %.200q, %d bytes read", test.name, name, got, l.Read())
			}
		}
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	list := "\n" + `{"args":["a"]}` + "\n \t\r\n{}\nx\n" + `{"args":"a"}` + "\n" + `{"args":["a"],"args":[]}` + "\n" +
		`{"args":["b"]}`
	want := []string{
		"2 a", "4 ",
		"5! bad JSON at byte 0: 'x' where a value should be",
		`6! item.args: must be an array, not "a"`,
		`7! bad JSON at byte 14: member name repeated: "args"`,
		"8 b",
	}
	got := all(t, batch.NewObjects(strings.NewReader(list), putObject))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestListThatCannotBeRead(t *testing.T) {
	t.Parallel()
	sick := errors.New("sick disk")
	r := io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(sick))
	l := batch.NewLines(r, '\n', putLine)
	if it, err := l.Next(); err != nil || it.Line.Args[0] != "a" {
		t.Error(err)
	}
	if _, err := l.Next(); !errors.Is(err, sick) {
		t.Error(err)
	}
}

func TestDecodeLine(t *testing.T) {
	t.Parallel()
	stdin := "in\n"
	got, err := batch.DecodeLine([]byte(`{"args":["a",""],"env":{"K":"v=w"},"stdin":"in\n","stdout_file":"o",` +
		`"stderr_file":"e","receipt_file":"r",` +
		`"label":"the first","memory_mb":1,"timeout_ms":2,"fuel":3,"output_limit_bytes":0,"seed":0}`))
	want := &batch.Line{
		Args: []string{"a", ""}, HasArgs: true, Env: map[string]string{"K": "v=w"}, Text: &stdin, Stdout: "o",
		Stderr: "e", Receipt: "r",
		Label: "the first", MemoryMB: new(int64(1)), TimeoutMS: new(int64(2)), Fuel: new(int64(3)),
		OutputLimitBytes: new(int64(0)), Seed: new(int64(0)),
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	m := job.NewManifest()
	m.Args, m.Env = []string{"x"}, map[string]string{"K": "k", "L": "l"}
	kept := m.Env
	got.Apply(m)
	if diff := cmp.Diff(map[string]string{"K": "v=w", "L": "l"}, m.Env); diff != "" || kept["K"] != "k" ||
		len(m.Args) != 2 || m.Fuel != 3 || m.OutputLimitBytes != 0 {
		t.Errorf("%+v\n%s", m, diff)
	}
	for line, want := range map[string]string{
		`[]`:                             "item: must be an object, not an array",
		`{"stdin":"a","stdin_file":"b"}`: "item.stdin_file: is there beside stdin: a program has one input",
		`{"stdin_file":""}`:              `item.stdin_file: "" is not the name of a file`,
		`{"stdout_file":"-"}`:            `item.stdout_file: "-" is not the name of a file`,
		`{"receipt_file":"a\u0000"}`:     `item.receipt_file: "a\x00" is not the name of a file`,
		`{"label":""}`:                   `item.label: "" is not 1 to 256 bytes without control characters`,
		`{"label":"a\nb"}`:               `item.label: "a\nb" is not 1 to 256 bytes without control characters`,
		`{"memory_mb":0}`:                "item.memory_mb: 0 is not in 1…4096",
		`{"seed":-1}`:                    "item.seed: -1 is not in 0…9007199254740991",
		`{"id":"x"}`:                     "item.id: unknown member",
		`{"ARGS":[]}`:                    "item.ARGS: unknown member",
		`{"env":{"A":1}}`:                "item.env.A: must be a string, not 1",
		`{"label":"` + strings.Repeat("x", 257) + `"}`: `item.label: "` + strings.Repeat("x", 72) +
			`…" is not 1 to 256 bytes without control characters`,
	} {
		_, err := batch.DecodeLine([]byte(line))
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeBadManifest || e.Message != want {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		t    batch.Template
		line string
		want batch.Line
	}{
		{"no placeholder", batch.Template{Args: []string{"-v"}}, "a b", batch.Line{Args: []string{"-v", "a b"}}},
		{"nothing at all", batch.Template{}, "", batch.Line{Args: []string{""}}},
		{
			"all of them",
			batch.Template{Args: []string{"{}", "{/}", "{.}", "{/.}", "{#}", "x{#}{#}y"}},
			"d.x/b.tar.gz",
			batch.Line{
				Args: []string{"d.x/b.tar.gz", "b.tar.gz", "d.x/b.tar", "b.tar", "7", "x77y"},
			},
		},
		{
			"what a line has stays",
			batch.Template{Args: []string{"{}{/}"}},
			"{#}/{.}",
			batch.Line{Args: []string{"{#}/{.}{.}"}},
		},
		{
			"no extension",
			batch.Template{Args: []string{"{.}", "{/.}"}},
			"d.x/.bashrc",
			batch.Line{Args: []string{"d.x/.bashrc", ".bashrc"}},
		},
		{"a variable", batch.Template{Env: []string{"N{#}={}", "A=b=c"}}, "x=y", batch.Line{
			Args: []string{}, Env: map[string]string{"N7": "x=y", "A": "b=c"},
		}},
		{"a seed", batch.Template{Seed: "1{#}"}, "x", batch.Line{Args: []string{}, Seed: new(int64(17))}},
		{
			"files",
			batch.Template{Stdin: "{}", Stdout: "out/{/.}.txt", Stderr: "{#}.err", Receipt: "{.}.json"},
			"in/a.csv",
			batch.Line{
				Args: []string{}, Stdin: "in/a.csv", Stdout: "out/a.txt", Stderr: "7.err", Receipt: "in/a.json",
			},
		},
	} {
		test.want.HasArgs = true
		if err := test.t.Check(); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		got, err := test.t.Fill(test.line, 7)
		if diff := cmp.Diff(&test.want, got, cmp.Transformer("nil",
			func(s []string) []string { return append([]string{}, s...) })); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", test.name, err, diff)
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		t          batch.Template
		line, want string
	}{
		{batch.Template{Stdout: "out/{/}"}, "a/", `--stdout: out/{/}: {/} of the line is "", which names no file`},
		{batch.Template{Stderr: "out/{/}"}, "..", `--stderr: out/{/}: {/} of the line is "..", which names no file`},
		{batch.Template{Receipt: "{/.}"}, "a/..x", `--receipt: {/.}: {/.} of the line is ".", which names no file`},
		{batch.Template{Stdout: "{}"}, "", `--stdout: "" is not the name of a file`},
		{batch.Template{Stdin: "{}"}, "-", `--stdin: "-" is not the name of a file`},
		{batch.Template{Seed: "{}"}, "x", `--seed: "x" is not a whole number from 0 to 9007199254740991`},
		{batch.Template{Seed: "{}"}, "-1", `--seed: "-1" is not a whole number from 0 to 9007199254740991`},
	} {
		_, err := test.t.Fill(test.line, 1)
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeUsage || e.Message != test.want {
			t.Errorf("%+v %q: %v", test.t, test.line, err)
		}
	}
	for _, shared := range []batch.Template{{Stdout: "out"}, {Stderr: "e{x}"}, {Receipt: "r", Args: []string{"{}"}}} {
		err := shared.Check()
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeUsage ||
			!strings.Contains(e.Message, "all items would write to it") {
			t.Errorf("%+v: %v", shared, err)
		}
	}
	if err := (&batch.Template{Stdin: "in", Env: []string{"A=b"}}).Check(); err != nil {
		t.Error(err)
	}
}
