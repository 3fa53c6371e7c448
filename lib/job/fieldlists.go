package job

import "strconv"

// Array returns a member that is an array.
func (f *Fields) Array(name string) []Value { return f.array(name, f.Value(name)) }

// OptArray returns an array member that may be absent, and whether it is there.
func (f *Fields) OptArray(name string) ([]Value, bool) {
	v, ok := f.Opt(name)
	if !ok {
		return nil, false
	}
	return f.array(name, v), true
}

func (f *Fields) array(name string, v Value) []Value {
	list, ok := v.([]Value)
	if !ok {
		f.Fail(name, "must be an array, not %s", describe(v))
	}
	return list
}

// Strs returns the elements of an array member, all strings; never nil.
func (f *Fields) Strs(name string) []string { return f.strs(name, f.Array(name)) }

// OptStrs returns the elements of an array of strings, none when it is absent; never nil.
func (f *Fields) OptStrs(name string) []string {
	list, _ := f.OptArray(name)
	return f.strs(name, list)
}

func (f *Fields) strs(name string, list []Value) []string {
	out := make([]string, 0, len(list))
	for i, v := range list {
		out = append(out, f.str(element(name, i), v))
	}
	return out
}

// Object returns the reader of a member that is an object. It needs no Close of
// its own.
func (f *Fields) Object(name string) *Fields { return f.child(name, f.Value(name)) }

// OptObject returns the reader of an object member, or nil when it is absent.
func (f *Fields) OptObject(name string) *Fields {
	v, ok := f.Opt(name)
	if !ok {
		return nil
	}
	return f.child(name, v)
}

// Objects returns the readers of the elements of an array member, all objects.
func (f *Fields) Objects(name string) []*Fields { return f.objects(name, f.Array(name)) }

// OptObjects is Objects of a member that may be absent.
func (f *Fields) OptObjects(name string) []*Fields {
	list, _ := f.OptArray(name)
	return f.objects(name, list)
}

func (f *Fields) objects(name string, list []Value) []*Fields {
	out := make([]*Fields, 0, len(list))
	for i, v := range list {
		out = append(out, f.child(element(name, i), v))
	}
	return out
}

func (f *Fields) child(name string, v Value) *Fields {
	c := &Fields{path: f.path + "." + name, first: f.first}
	c.open(v, c.path)
	f.children = append(f.children, c)
	return c
}

// Texts returns a member that is an object of strings, or an empty map when it
// is absent; never nil.
func (f *Fields) Texts(name string) map[string]string {
	out := map[string]string{}
	v, ok := f.Opt(name)
	if !ok {
		return out
	}
	o, ok := v.(*Object)
	if !ok {
		f.Fail(name, "must be an object, not %s", describe(v))
		return out
	}
	for key, v := range o.All() {
		out[key] = f.strAt(member(f.path+"."+name, key), v)
	}
	return out
}

// element is what messages call the element of an array.
func element(name string, i int) string { return name + "[" + strconv.Itoa(i) + "]" }
