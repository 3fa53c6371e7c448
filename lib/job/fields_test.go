package job_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// fields reads an object written with ' for ".
func fields(t *testing.T, text string) *job.Fields {
	t.Helper()
	v, err := job.Parse([]byte(strings.ReplaceAll(text, "'", `"`)))
	if err != nil {
		t.Fatal(err)
	}
	return job.NewFields(v, "doc")
}

func TestFieldsRead(t *testing.T) {
	t.Parallel()
	digest := string(job.EmptyDigest)
	f := fields(t, `{'s':'x','i':-3,'b':true,'d':'`+digest+`','t':'2024-02-29T01:02:03.004Z','l':['a','b'],
		'o':{'n':1},'os':[{'n':2},{'n':3}],'m':{'K':'v'},
		'p':'12D3KooWA9iKWA5BvTLC2ZXYEqV6MQgNbFQdbbTpHeAtmzmzeCcR','one':'b','v':[]}`)
	type all struct {
		S, P, One    string
		I, Absent    int64
		B, BAbsent   bool
		D, DAbsent   job.Digest
		T            time.Time
		L, LAbsent   []string
		O            int64
		OS           []int64
		M, MAbsent   map[string]string
		V            job.Value
		HasS, HasNot bool
	}
	got := all{
		S: f.Str("s"), P: f.PeerID("p"), One: f.OneOf("one", "a", "b"),
		I: f.Int("i", -3, 3), Absent: f.IntOr("absent", 7, 0, 9),
		B: f.Bool("b"), BAbsent: f.BoolOr("absent", true),
		D: f.Digest("d"), DAbsent: f.OptDigest("absent"),
		T: f.Time("t"),
		L: f.Strs("l"), LAbsent: f.OptStrs("absent"),
		O: f.Object("o").Int("n", 0, 9),
		M: f.Texts("m"), MAbsent: f.Texts("absent"),
		V: f.Value("v"), HasS: f.Has("s"), HasNot: f.Has("absent"),
	}
	for _, o := range f.Objects("os") {
		got.OS = append(got.OS, o.Int("n", 0, 9))
	}
	if f.OptObject("absent") != nil || len(f.OptObjects("absent")) != 0 {
		t.Error("an object that is absent was read")
	}
	if _, ok := f.OptStr("absent"); ok {
		t.Error("a string that is absent was read")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want := all{
		S: "x", P: "12D3KooWA9iKWA5BvTLC2ZXYEqV6MQgNbFQdbbTpHeAtmzmzeCcR", One: "b", I: -3, Absent: 7, B: true,
		BAbsent: true,
		D:       job.EmptyDigest, T: time.Date(2024, 2, 29, 1, 2, 3, 4e6, time.UTC), L: []string{"a", "b"},
		LAbsent: []string{},
		O:       1, OS: []int64{2, 3}, M: map[string]string{"K": "v"}, MAbsent: map[string]string{}, V: []job.Value{},
		HasS: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFieldsRefuse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		read func(f *job.Fields)
		want string
	}{
		{`[]`, func(*job.Fields) {}, `doc: must be an object, not an array`},
		{`{}`, func(f *job.Fields) { f.Str("s") }, `doc.s: missing`},
		{`{'s':1}`, func(f *job.Fields) { f.Str("s") }, `doc.s: must be a string, not 1`},
		{`{'s':{}}`, func(f *job.Fields) { f.OptStr("s") }, `doc.s: must be a string, not an object`},
		{`{'i':9}`, func(f *job.Fields) { f.Int("i", 1, 8) }, `doc.i: 9 is not in 1…8`},
		{`{'i':0}`, func(f *job.Fields) { f.IntOr("i", 0, 1, 8) }, `doc.i: 0 is not in 1…8`},
		{`{'i':'5'}`, func(f *job.Fields) { f.Int("i", 1, 8) }, `doc.i: must be an integer, not "5"`},
		{`{'b':0}`, func(f *job.Fields) { f.Bool("b") }, `doc.b: must be true or false, not 0`},
		{`{'b':'true'}`, func(f *job.Fields) { f.BoolOr("b", true) }, `doc.b: must be true or false, not "true"`},
		{
			`{'d':'sha1:00'}`, func(f *job.Fields) { f.Digest("d") },
			`doc.d: "sha1:00" is not sha256: and 64 lower-case hex digits`,
		},
		{`{'d':''}`, func(f *job.Fields) { f.OptDigest("d") }, `doc.d: "" is not sha256: and 64 lower-case hex digits`},
		{`{'p':'Qm'}`, func(f *job.Fields) { f.PeerID("p") }, `doc.p: "Qm" is not a peer ID`},
		{`{'t':'now'}`, func(f *job.Fields) { f.Time("t") }, `doc.t: "now" is not a time YYYY-MM-DDThh:mm:ss.sssZ`},
		{`{'o':'c'}`, func(f *job.Fields) { f.OneOf("o", "a", "b") }, `doc.o: "c" is not one of a, b`},
		{`{'l':{}}`, func(f *job.Fields) { f.Strs("l") }, `doc.l: must be an array, not an object`},
		{`{'l':['a',1]}`, func(f *job.Fields) { f.OptStrs("l") }, `doc.l[1]: must be a string, not 1`},
		{`{'m':[]}`, func(f *job.Fields) { f.Texts("m") }, `doc.m: must be an object, not an array`},
		{`{'m':{'A=':true}}`, func(f *job.Fields) { f.Texts("m") }, `doc.m["A="]: must be a string, not true`},
		{`{'o':[{},{'x':1}]}`, func(f *job.Fields) { f.Objects("o") }, `doc.o[1].x: unknown member`},
		{`{'o':[{},1]}`, func(f *job.Fields) { f.OptObjects("o") }, `doc.o[1]: must be an object, not 1`},
		{`{'o':{'x':1}}`, func(f *job.Fields) { f.OptObject("o").OptObject("y") }, `doc.o.x: unknown member`},
		{`{'o':{'p':{'x':1}}}`, func(f *job.Fields) { f.Object("o").Object("p") }, `doc.o.p.x: unknown member`},
		{`{'x y\n':1}`, func(*job.Fields) {}, `doc["x y\n"]: unknown member`},
		{`{'':1}`, func(*job.Fields) {}, `doc[""]: unknown member`},
		{`{'s':'x'}`, func(f *job.Fields) { f.Str("s"); f.Fail("s", "%d is %s", 1, "odd") }, `doc.s: 1 is odd`},
		{
			`{'n':0,'x':1}`, func(f *job.Fields) { f.Int("n", 1, 2); f.Str("s"); f.Fail("y", "no") },
			`doc.n: 0 is not in 1…2`,
		},
	}
	for _, test := range tests {
		f := fields(t, test.text)
		test.read(f)
		err := f.Close()
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.text, err, test.want)
		}
		if _, ok := errors.AsType[*job.FieldError](err); !ok || !errors.Is(err, f.Err()) {
			t.Errorf("%s: Close says %T, Err %v", test.text, err, f.Err())
		}
	}
}

// TestFieldsAfterAnError reads on as a decoder does, and gets zero values.
func TestFieldsAfterAnError(t *testing.T) {
	t.Parallel()
	f := fields(t, `{'s':'x','i':5,'b':true,'l':['a'],'o':{'n':1},'os':[{}],'m':{'K':'v'}}`)
	f.Fail("s", "first")
	o := f.Object("o")
	zero := f.Str("s") == "" && f.Int("i", 0, 9) == 0 && !f.Bool("b") && len(f.Strs("l")) == 0 &&
		o.Int("n", 0, 9) == 0 &&
		len(f.Objects("os")) == 0 && len(f.Texts("m")) == 0 && f.Time("t").IsZero() && f.Digest("d") == "" &&
		f.PeerID("p") == ""
	if err := f.Close(); !zero || err == nil || err.Error() != "doc.s: first" {
		t.Errorf("zero values: %v, error %v", zero, err)
	}
}
