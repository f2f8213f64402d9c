// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// ConvertToTable implements rest.TableConvertor. It takes one object, also an
// empty one as a bookmark has it, or a list.
func (r *REST[T, P]) ConvertToTable(_ context.Context, object, options runtime.Object) (*metav1.Table, error) {
	table := &metav1.Table{Rows: []metav1.TableRow{}}
	if o, ok := options.(*metav1.TableOptions); !ok || !o.NoHeaders {
		for _, column := range r.kind.Columns {
			table.ColumnDefinitions = append(table.ColumnDefinitions, column.TableColumnDefinition)
		}
	}
	if obj, ok := object.(P); ok {
		table.ResourceVersion = obj.GetResourceVersion()
		table.Rows = append(table.Rows, r.row(obj))
		return table, nil
	}
	items, err := r.items(object)
	if err != nil {
		return nil, err
	}
	if list, ok := object.(metav1.ListInterface); ok {
		table.ListMeta = metav1.ListMeta{
			ResourceVersion: list.GetResourceVersion(), Continue: list.GetContinue(), RemainingItemCount: list.GetRemainingItemCount(),
		}
	}
	table.Rows = make([]metav1.TableRow, 0, len(items))
	for i := range items {
		table.Rows = append(table.Rows, r.row(P(&items[i])))
	}
	return table, nil
}

// items of a list, as copies: with ?includeObject=Object each is marked with its type.
func (r *REST[T, P]) items(object runtime.Object) ([]T, error) {
	if shared, ok := object.(*answer[T, P]); ok {
		return slices.Clone(shared.Items), nil
	}
	items, ok := r.kind.Items(object)
	if !ok {
		return nil, fmt.Errorf("table of %s: got %T", r.kind.Resource, object)
	}
	return items, nil
}

func (r *REST[T, P]) row(obj P) metav1.TableRow {
	now := r.now()
	cells := make([]any, len(r.kind.Columns))
	for i, column := range r.kind.Columns {
		cells[i] = column.Cell(obj, now)
	}
	return metav1.TableRow{Cells: cells, Object: runtime.RawExtension{Object: obj}}
}
