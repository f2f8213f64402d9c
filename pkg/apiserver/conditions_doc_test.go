// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/sources"
)

// documentedRow of a table in docs/conditions.md: the type or reason in its first column.
var documentedRow = regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|")

// docs/conditions.md has every condition type and every reason there is in the code,
// and no other.
func TestConditionsAreDocumented(t *testing.T) {
	inCode := map[string]bool{}
	for _, room := range []string{"../slo", "../apf", "../apf/configuration", "../apf/simulation", "../evaluation", "../apis/slo/v1alpha1"} {
		for name, value := range stringConstants(t, room+"/*.go") {
			if strings.HasPrefix(name, "Reason") || strings.HasPrefix(name, "Condition") {
				inCode[value] = true
			}
		}
	}
	for _, reason := range sources.Reasons() {
		inCode[string(reason)] = true
	}
	text, err := os.ReadFile("../../docs/conditions.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range documentedRow.FindAllStringSubmatch(string(text), -1) {
		documented[row[1]] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(inCode)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Errorf("docs/conditions.md (-in the code +documented):\n%s", diff)
	}
}

// Every reason of the sources has an effect of its own: one that is left out would
// refuse all figures.
func TestReasonsOfSourcesAreRanked(t *testing.T) {
	ranked := sources.Reasons()
	for name, value := range stringConstants(t, "../sources/warning.go") {
		if !slices.Contains(ranked, sources.Reason(value)) {
			t.Errorf("sources.%s is not among sources.Reasons", name)
		}
	}
}

// stringConstants that are exported, of the files of a pattern, by name.
func stringConstants(t *testing.T, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	constants := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, is := n.(*ast.ValueSpec)
			if !is {
				return true
			}
			for i, name := range spec.Names {
				if i < len(spec.Values) && ast.IsExported(name.Name) {
					if literal, is := spec.Values[i].(*ast.BasicLit); is && literal.Kind == token.STRING {
						constants[name.Name], _ = strconv.Unquote(literal.Value)
					}
				}
			}
			return true
		})
	}
	return constants
}
