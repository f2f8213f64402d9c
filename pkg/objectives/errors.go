// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Errors are all that is wrong with a file, by line.
type Errors []Error

// Error is one thing that is wrong with a file.
type Error struct {
	File string
	// Line from 1 on; 0 where it is the file as a whole.
	Line int
	// Problem names the field and the remedy.
	Problem string
}

// Error implements error: "objectives.yaml:17: objectives[2].threshold: ...".
func (e Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
}

// Error implements error: one line each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Summary is the first error and the number of the others, in one line.
func (e Errors) Summary() string {
	switch len(e) {
	case 0:
		return ""
	case 1:
		return e[0].Error()
	}
	return fmt.Sprintf("%s (and %d more)", e[0].Error(), len(e)-1)
}

// mostErrors of one file that are told.
const mostErrors = 100

// sorted by line, and not more than anybody reads.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int { return cmp.Compare(a.Line, b.Line) })
	if more := len(e) - mostErrors; more > 0 {
		e = append(e[:mostErrors:mostErrors], Error{File: e[0].File, Problem: fmt.Sprintf("%d more errors", more)})
	}
	return e
}
