package job

// Elements reads a document {"version":…,NAME:[…]} of one array that is too long to be
// held as a Value. Each object in the array is read by itself and handed to each, in
// order, with a Fields of its own, which Elements closes; the first error ends the
// reading. An element may have limit bytes, so memory stays within about 40 times limit,
// whatever the length of data.
//
// What is what messages call the document. An error is each's, a *FieldError, or wraps a
// *SyntaxError; what breaks the profile behind a wrong element is not seen any more.
func Elements(data []byte, what, version, name string, limit int, each func(f *Fields) error) error {
	d := documentReader{s: newScanner(data), what: what}
	return d.read([]string{"version", name}, map[string]func() error{
		"version": func() error {
			v, err := d.bounded(what+".version", limit)
			if err != nil {
				return err
			}
			o := &Object{}
			o.add("version", v)
			f := NewFields(o, what)
			f.OneOf("version", version)
			return f.Close()
		},
		name: func() error { return d.elements(name, limit, each) },
	})
}

// elements reads an array of objects.
func (d *documentReader) elements(name string, limit int, each func(f *Fields) error) error {
	c, err := d.s.next("a value")
	if err != nil {
		return err
	}
	if c != '[' {
		v, err := d.bounded(d.what+"."+name, limit)
		if err == nil {
			err = &FieldError{Path: d.what + "." + name, Problem: "must be an array, not " + describe(v)}
		}
		return err
	}
	if err := d.s.enter(); err != nil {
		return err
	}
	if d.s.space() && d.s.buf[d.s.pos] == ']' {
		_, err := d.s.separator(']')
		return err
	}
	more := true
	for i := 0; more; i++ {
		path := d.what + "." + element(name, i)
		v, err := d.bounded(path, limit)
		if err != nil {
			return err
		}
		f := NewFields(v, path)
		if err := f.Err(); err != nil {
			return err
		}
		if err := each(f); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		if more, err = d.s.separator(']'); err != nil {
			return err
		}
	}
	return nil
}

// bounded reads a value of at most limit bytes from a document that is held as a whole.
func (d *documentReader) bounded(path string, limit int) (Value, error) {
	s := d.s
	if _, err := s.next("a value"); err != nil {
		return nil, err
	}
	whole := s.end
	if s.end-s.pos > limit {
		s.end = s.pos + limit
	}
	cut := s.end
	v, err := s.value()
	s.end = whole
	if err != nil && s.pos == cut && cut < whole {
		return nil, tooMuch(path, int64(limit))
	}
	return v, err
}
