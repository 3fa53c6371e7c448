package tree

import (
	"fmt"
	"path"
	"strings"
)

// Exclude says which names are left out when a folder is read. The zero value leaves
// nothing out.
type Exclude struct {
	globs []glob
}

type glob struct {
	parts    []string // "**" for any number of parts
	anchored bool     // matches the path from the folder, not any name
	dirs     bool     // matches dirs only
}

// NewExclude reads patterns. A pattern without a slash, or with one at its end alone, is
// compared with every name, wherever it is; any other with the path from the folder that is
// read, where a part "**" stands for any number of parts, also none. One that ends with a
// slash matches folders only. The parts are as path.Match has them.
func NewExclude(patterns []string) (*Exclude, error) {
	x := &Exclude{}
	for _, p := range patterns {
		g := glob{}
		rest, dirs := strings.CutSuffix(p, "/")
		g.dirs = dirs
		g.anchored = strings.Contains(rest, "/")
		g.parts = strings.Split(strings.TrimPrefix(rest, "/"), "/")
		for _, part := range g.parts {
			if _, err := path.Match(part, ""); err != nil || part == "" {
				return nil, fmt.Errorf("not a pattern of names: %q", p)
			}
		}
		x.globs = append(x.globs, g)
	}
	return x, nil
}

// Match reports whether the name at a path from the folder is left out, and so whatever is
// in it.
func (x *Exclude) Match(name string, dir bool) bool {
	if x == nil {
		return false
	}
	parts := strings.Split(name, "/")
	for _, g := range x.globs {
		of := parts
		if !g.anchored {
			of = parts[len(parts)-1:]
		}
		if (dir || !g.dirs) && matchParts(g.parts, of) {
			return true
		}
	}
	return false
}

// matchParts is quadratic in the worst case for each "**", and paths are short.
func matchParts(pattern, parts []string) bool {
	for len(pattern) > 0 && pattern[0] != "**" {
		if len(parts) == 0 {
			return false
		}
		if ok, _ := path.Match(pattern[0], parts[0]); !ok { // patterns were checked
			return false
		}
		pattern, parts = pattern[1:], parts[1:]
	}
	if len(pattern) == 0 {
		return len(parts) == 0
	}
	for i := range len(parts) + 1 {
		if matchParts(pattern[1:], parts[i:]) {
			return true
		}
	}
	return false
}
