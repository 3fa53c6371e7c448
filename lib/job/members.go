package job

import (
	"reflect"
	"strings"
)

// MemberWord is the row of a member of a document that is an integer, or true or false. All
// but the struct's field and what the code makes of it comes from there: decoding, the
// default, the check, the schema, the docs, the PHP SDK.
type MemberWord struct {
	Word             // Meaning begins with the unit of an integer, or with ; where it has none
	Low, High int64  // of an integer: its range
	Absent    int64  // what it is when a document doesn't have it: below Low, it may be left out and has no default
	Without   string // what its absence means then
	Example   int64  // a value for the schema; 0 or 1 for false and true
	Boolean   bool
}

// A rule is a MemberWord with its field; one of field and flag is nil.
type rule struct {
	MemberWord

	field *int64
	flag  *bool
}

// holds reports whether the value of an integer is one that a document may have, or
// its being left out.
func (r *rule) holds() bool {
	return *r.field >= r.Low && *r.field <= r.High || r.Absent < r.Low && *r.field == r.Absent
}

// ManifestMembers returns the rows of a manifest's members, in their order.
func ManifestMembers() []MemberWord { return members((&Manifest{}).rules()) }

// NodeMembers returns the rows of a node document's members; those within slots and limits have
// the name of these and a full stop before their own.
func NodeMembers() []MemberWord { return members((&Node{}).rules()) }

func members(rules []rule) []MemberWord {
	return Column(rules, func(r rule) MemberWord { return r.MemberWord })
}

func integer(field *int64, name string, absent, low, high, example int64, meaning string) rule {
	return rule{MemberWord: MemberWord{
		Word: Word{name, meaning}, Absent: absent, Low: low, High: high,
		Example: example,
	}, field: field}
}

func boolean(flag *bool, name string, absent, example int64, meaning string) rule {
	return rule{
		MemberWord: MemberWord{Word: Word{name, meaning}, Absent: absent, Example: example, Boolean: true},
		flag:       flag,
	}
}

// Difference returns the name of a member in which two manifests differ, or "" when they
// are equal. A list or map without elements is equal to one that is nil.
func (m *Manifest) Difference(o *Manifest) string {
	a, b := reflect.ValueOf(m).Elem(), reflect.ValueOf(o).Elem()
	for i := range a.NumField() {
		x, y := a.Field(i), b.Field(i)
		if k := x.Kind(); (k == reflect.Slice || k == reflect.Map) && x.Len() == 0 && y.Len() == 0 {
			continue
		}
		if !reflect.DeepEqual(x.Interface(), y.Interface()) {
			name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("json"), ",")
			return name
		}
	}
	return ""
}
