// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package registrytest is what the tests of the registry share.
package registrytest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"example.io/slo-apiserver/pkg/registry/computed"
)

// Static is a Provider with one evaluation and no other.
type Static[T any] struct{ Items []T }

// Latest implements computed.Provider.
func (s Static[T]) Latest(context.Context) (*computed.Snapshot[T], error) {
	return &computed.Snapshot[T]{ResourceVersion: 100, Items: s.Items}, nil
}

// Next implements computed.Provider.
func (s Static[T]) Next(ctx context.Context, after uint64) (*computed.Snapshot[T], error) {
	if after < 100 {
		return s.Latest(ctx)
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// Golden compares the table of a list, as kubectl prints it, with a file: the
// usual columns first, then those of -o wide. With update, it writes the file.
func Golden(t *testing.T, convertor rest.TableConvertor, list runtime.Object, file string, update bool) {
	t.Helper()
	table, err := convertor.ConvertToTable(t.Context(), list, &metav1.TableOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := Print(table, 0) + "\n-o wide adds:\n" + Print(table, 1)
	if update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// Print writes the columns of one priority.
func Print(table *metav1.Table, priority int32) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 8, 3, ' ', 0)
	line := func(cell func(i int) any) {
		var cells []string
		for i, column := range table.ColumnDefinitions {
			if column.Priority == priority {
				cells = append(cells, fmt.Sprint(cell(i)))
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	line(func(i int) any { return strings.ToUpper(table.ColumnDefinitions[i].Name) })
	for _, row := range table.Rows {
		line(func(i int) any { return row.Cells[i] })
	}
	w.Flush()
	return out.String()
}
