// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// MaximumBytes of a file: what a ConfigMap holds at most.
const MaximumBytes = 1 << 20

// decoder turns a file into entries. It does not stop at the first error. The
// lines of all fields are kept for what is found out later.
type decoder struct {
	file   string
	lines  map[string]int // by the path of the field
	errors Errors
}

// fields of a mapping, and what to do with their values.
type fields map[string]func(path *field.Path, value *yaml.Node)

// root is the one document of the file; nil with an error.
func (d *decoder) root(data []byte) *yaml.Node {
	if len(data) > MaximumBytes {
		d.fail(0, fmt.Sprintf("is larger than %d bytes, which is what a ConfigMap holds", MaximumBytes))
		return nil
	}
	reader := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := reader.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			d.fail(0, "is empty; it has to begin with apiVersion: "+APIVersion+" and kind: "+Kind)
			return nil
		}
		d.syntax(err)
		return nil
	}
	switch err := reader.Decode(&second); {
	case err == nil:
		d.fail(second.Line, "there is a second document; a file has one")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	}
	if len(document.Content) == 0 { // nothing but comments
		d.fail(0, "is empty; it has to begin with apiVersion: "+APIVersion+" and kind: "+Kind)
		return nil
	}
	return document.Content[0]
}

// syntaxLine is where yaml says that it is at its wits' end.
var syntaxLine = regexp.MustCompile(`^yaml: line (\d+): `)

func (d *decoder) syntax(err error) {
	text := err.Error()
	line := 0
	if found := syntaxLine.FindStringSubmatch(text); found != nil {
		line, _ = strconv.Atoi(found[1]) // digits
		text = text[len(found[0]):]
	}
	d.fail(line, "is no YAML: "+strings.TrimPrefix(text, "yaml: "))
}

// longestProblem in bytes, of which there may be one in a condition of every report.
const longestProblem = 500

// fail with what is wrong, in one line: what the file has as names and values is in it.
func (d *decoder) fail(line int, problem string) {
	problem = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, problem)
	if len(problem) > longestProblem {
		problem = strings.ToValidUTF8(problem[:longestProblem], "") + "..."
	}
	d.errors = append(d.errors, Error{File: d.file, Line: line, Problem: problem})
}

// report errors of validation at the line of their field, or of the nearest field
// that has it.
func (d *decoder) report(errs field.ErrorList) {
	for _, err := range errs {
		d.fail(d.line(err.Field), err.Error())
	}
}

func (d *decoder) line(path string) int {
	for {
		if line, known := d.lines[path]; known {
			return line
		}
		end := strings.LastIndexAny(path, ".[")
		if end < 0 {
			return 0
		}
		path = path[:end]
	}
}

// mapping decodes a mapping with these fields, and no others.
func (d *decoder) mapping(path *field.Path, node *yaml.Node, known fields) {
	if !d.is(path, node, yaml.MappingNode, "a mapping") {
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		child := path.Child(name.Value)
		decode := known[name.Value]
		switch first, twice := seen[name.Value]; {
		case name.Kind != yaml.ScalarNode:
			d.fail(name.Line, "the name of a field is no text")
			continue
		case twice:
			d.fail(name.Line, fmt.Sprintf("%s: is there twice, first in line %d", child, first))
			continue
		case decode == nil:
			d.fail(name.Line, fmt.Sprintf("%s: there is no such field; those here are %s", child, strings.Join(names(known), ", ")))
			continue
		}
		seen[name.Value] = name.Line
		d.lines[child.String()] = name.Line
		decode(child, value)
	}
}

func names(known fields) []string {
	var all []string
	for name := range known {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// mostElements of one list. Those of a cluster have some tens.
const mostElements = 1000

// each decodes the elements of a list.
func (d *decoder) each(path *field.Path, node *yaml.Node, decode func(path *field.Path, element *yaml.Node)) {
	if !d.is(path, node, yaml.SequenceNode, "a list") {
		return
	}
	if n := len(node.Content); n > mostElements {
		d.fail(node.Line, fmt.Sprintf("%s: there are %d elements; at most %d are taken", path, n, mostElements))
		return
	}
	for i, element := range node.Content {
		child := path.Index(i)
		d.lines[child.String()] = element.Line
		decode(child, element)
	}
}

// is says whether a node is of that kind.
func (d *decoder) is(path *field.Path, node *yaml.Node, kind yaml.Kind, name string) bool {
	where := ""
	if path != nil {
		where = path.String() + ": "
	}
	switch {
	case node.Kind == yaml.AliasNode:
		d.fail(node.Line, where+"aliases are not followed; write it out")
		return false
	case node.Kind != kind || kind == yaml.ScalarNode && node.ShortTag() == "!!null":
		d.fail(node.Line, fmt.Sprintf("%smust be %s", where, name))
		return false
	}
	return true
}
