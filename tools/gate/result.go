package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// resultsVariable names the folder in which a stage leaves its results: files NAME.json
// by this program, and NAME.xml by PHPUnit (--log-junit).
const resultsVariable = "GATE_RESULTS"

// failure is a test that failed.
type failure struct {
	Name    string
	Output  string
	Command string // runs just this one
}

// result is what came of some tests.
type result struct {
	Passed  int
	Failed  []failure
	Skipped map[string]int // by reason
}

func (r *result) add(other result) {
	r.Passed += other.Passed
	r.Failed = append(r.Failed, other.Failed...)
	for reason, n := range other.Skipped {
		r.skip(reason, n)
	}
}

func (r *result) skip(reason string, n int) {
	if r.Skipped == nil {
		r.Skipped = make(map[string]int)
	}
	r.Skipped[reason] += n
}

func (r *result) skipped() int {
	sum := 0
	for _, n := range r.Skipped {
		sum += n
	}
	return sum
}

// write leaves r in folder, under a name of its own.
func (r *result) write(folder string) error {
	file, err := os.CreateTemp(folder, "go-*.json")
	if err != nil {
		return err
	}
	err = json.NewEncoder(file).Encode(r)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// readResults sums up what a stage left in folder.
func readResults(folder string) (result, error) {
	var sum result
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return sum, err
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return sum, err
		}
		var one result
		if filepath.Ext(name) == ".xml" {
			one, err = fromJUnit(data)
		} else {
			err = json.Unmarshal(data, &one)
		}
		if err != nil {
			return sum, fmt.Errorf("%s: %w", name, err)
		}
		sum.add(one)
	}
	return sum, nil
}

// suite is a <testsuite> as PHPUnit writes it.
type suite struct {
	Suites []suite `xml:"testsuite"`
	Cases  []struct {
		Name    string    `xml:"name,attr"`
		Class   string    `xml:"class,attr"`
		Skipped *struct{} `xml:"skipped"`
		Error   *string   `xml:"error"`
		Failure *string   `xml:"failure"`
	} `xml:"testcase"`
}

func fromJUnit(data []byte) (result, error) {
	var all suite
	if err := xml.Unmarshal(data, &all); err != nil {
		return result{}, err
	}
	return all.result(), nil
}

func (s suite) result() result {
	var r result
	for _, inner := range s.Suites {
		r.add(inner.result())
	}
	for _, c := range s.Cases {
		name := c.Class + "::" + c.Name
		wrong := c.Error
		if wrong == nil {
			wrong = c.Failure
		}
		switch {
		case c.Skipped != nil:
			r.skip(name, 1)
		case wrong != nil:
			method, _, _ := strings.Cut(c.Name, " ") // without the name of its data
			r.Failed = append(r.Failed, failure{
				Name: name, Output: *wrong,
				Command: fmt.Sprintf("phpunit -c php/phpunit.xml --filter '%s'", method),
			})
		default:
			r.Passed++
		}
	}
	return r
}
