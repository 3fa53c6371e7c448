package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"plasm/lib/job"
)

// enums are the enumerations of the schemas: where they are in which file, and their words.
func enums() map[string]map[string][]string {
	statuses, guards := names(job.StatusWords(), statusWord), job.Guards()
	return map[string]map[string][]string{
		"schemas/error.schema.json": {
			"properties/error/properties/code/enum": names(job.CodeWords(), codeWord),
			"$defs/rejection/properties/code/enum":  names(job.RejectWords(), rejectWord),
		},
		"schemas/joblog.schema.json": {"$defs/event/properties/status/enum": statuses},
		"schemas/receipt.schema.json": {
			"$defs/outcome/properties/status/enum":    statuses,
			"$defs/outcome/properties/trap/enum":      job.Names(job.TrapWords()),
			"$defs/node/properties/guards/items/enum": guards,
		},
		"schemas/node.schema.json": {
			"properties/guards/items/enum": guards, "properties/limits/required": job.Names(words(limits())),
		},
		"schemas/manifest.schema.json": nil,
	}
}

// parts are what stands between marks in PHP and in pages, by the name in the mark.
func parts() map[string]func() string {
	return map[string]func() string{
		"cases of Status":    func() string { return cases(job.StatusWords(), statusWord) },
		"cases of ErrorCode": func() string { return cases(job.CodeWords(), codeWord) },
		"list of rejections in PHP": func() string {
			return list("CODES", "The codes, a closed set: try another node, the same one later, or give up.",
				names(job.RejectWords(), rejectWord))
		},
		"list of guards in PHP": func() string { return list("ALL", "In their order.", job.Guards()) },
		"list of traps in PHP": func() string {
			return list("TRAPS", "What a program can do to be stopped at once.", job.Names(job.TrapWords()))
		},
		"parameters of Manifest": func() string { return parameters(job.ManifestMembers(), "") },
		"members of Manifest":    func() string { return written(job.ManifestMembers()) },
		"reading of Manifest":    func() string { return reading("f", job.ManifestMembers(), "", false) },
		"limits of Manifest":     func() string { return constants(job.ManifestMembers()) },
		"names of Manifest":      func() string { return properNames(job.ManifestMembers()) },
		"parameters of Node":     func() string { return parameters(limits(), "max") },
		"reading of Node":        func() string { return reading("limits", limits(), "max", true) },
		"table of statuses":      statusTable,
		"table of codes":         codeTable,
		"table of rejections":    rejectTable,
		"table of events":        eventTable,
		"table of guards":        guardTable,
		"list of traps":          func() string { return inline(job.Names(job.TrapWords())) },
	}
}

// files are what is rewritten.
func files() []string {
	return append(
		slices.Sorted(maps.Keys(enums())), "php/src/Guards.php", "php/src/ErrorCode.php", "php/src/Outcome.php",
		"php/src/Rejection.php",
		"php/src/Status.php", "php/src/Manifest.php", "php/src/Node.php", "docs/commands.md", "docs/documents.md",
		"docs/protocol.md",
	)
}

// made returns a file of files as it is to be.
func made(name, text string) (string, error) {
	if places, known := enums()[name]; known {
		return schema(name, text, places)
	}
	text, err := between(text, parts())
	if err == nil && name == "docs/documents.md" {
		return documents(text)
	}
	return text, err
}

// schema returns a schema as it is to be.
func schema(name, text string, places map[string][]string) (string, error) {
	var err error
	switch name {
	case "schemas/manifest.schema.json":
		return properties(text, []string{"properties"}, job.ManifestMembers(), false)
	case "schemas/node.schema.json":
		if text, err = properties(text, []string{"properties"}, outer(), true); err == nil {
			text, err = properties(text, []string{"properties", "limits", "properties"}, limits(), true)
		}
	}
	if err != nil {
		return "", err
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		begin, end, err := span(text, strings.Split(place, "/"))
		if err != nil {
			return "", err
		}
		text = text[:begin] + array(text[:begin], places[place]) + text[end:]
	}
	return text, nil
}

// documents returns the page of that name with the lines of members as they are to be.
func documents(text string) (string, error) {
	text, err := lines(text, "## Manifest", job.ManifestMembers(), manifestRow)
	if err == nil {
		text, err = lines(text, "## Node document", outer(), nodeRow)
	}
	if err == nil {
		text, err = lines(text, "## Limits of a node", limits(), limitRow)
	}
	return text, err
}

// mark begins what is written, and endMark ends it, each on a line of its own.
var mark = regexp.MustCompile(`(?m)^ *(?:<!--|//) ((?:table|list|cases|parameters|members|reading|limits|names) [\w ` +
	`]+), written by make docs(?: -->)?$`)

var endMark = regexp.MustCompile(`(?m)^ *(?:<!--|//) end of words(?: -->)?$`)

// between returns a text with what stands between its marks made anew.
func between(text string, parts map[string]func() string) (string, error) {
	var out strings.Builder
	for {
		at := mark.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		name := text[at[2]:at[3]]
		part, known := parts[name]
		end := endMark.FindStringIndex(text[at[1]:])
		switch {
		case !known:
			return "", fmt.Errorf("no words are called %q", name)
		case end == nil:
			return "", fmt.Errorf("no line «end of words» behind %q", name)
		}
		out.WriteString(text[:at[1]] + "\n" + part())
		text = text[at[1]+end[0]:]
	}
	if out.Len() == 0 {
		return "", fmt.Errorf("no line such as: <!-- table of codes, written by make docs -->")
	}
	return out.String() + text, nil
}

func statusWord(w job.StatusWord) job.Word { return w.Word }
func codeWord(w job.CodeWord) job.Word     { return w.Word }
func rejectWord(w job.RejectWord) job.Word { return w.Word }

// names returns the words of a table.
func names[T any](table []T, of func(T) job.Word) []string { return job.Names(job.Column(table, of)) }

func words(rows []job.MemberWord) []job.Word {
	return job.Column(rows, func(m job.MemberWord) job.Word { return m.Word })
}
