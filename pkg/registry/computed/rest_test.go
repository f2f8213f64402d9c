// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/storage"
)

func selectFields(t *testing.T, s string) fields.Selector {
	t.Helper()
	selector, err := fields.ParseSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector
}

func selectLabels(t *testing.T, s string) labels.Selector {
	t.Helper()
	selector, err := labels.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	if storage.IsTooLargeResourceVersion(err) {
		return "TooLarge"
	}
	return string(apierrors.ReasonForError(err))
}

// plain is the list in an answer.
func plain(t *testing.T, list runtime.Object) *metav1.PartialObjectMetadataList {
	t.Helper()
	if shared, ok := list.(*answer[gauge, *gauge]); ok {
		list = shared.plain()
	}
	return list.(*metav1.PartialObjectMetadataList)
}

func TestGet(t *testing.T) {
	r, _ := newGaugeREST(t, newGauge("a", "ok", "1"), newGauge("c", "ok", "1"))
	for _, tc := range []struct{ name, version, want string }{
		{"a", "", ""},
		{"c", "0", ""},
		{"c", "100", ""},
		{"c", "99", ""},
		{"b", "", "NotFound"},
		{"d", "", "NotFound"},
		{"a", "101", "TooLarge"},
		{"a", "x", "BadRequest"},
	} {
		got, err := r.Get(t.Context(), tc.name, &metav1.GetOptions{ResourceVersion: tc.version})
		if reason(err) != tc.want {
			t.Errorf("get %s at %q: %v, want reason %q", tc.name, tc.version, err, tc.want)
		}
		if err == nil && (got.(*gauge).Name != tc.name || got.(*gauge).ResourceVersion != "100") {
			t.Errorf("get %s at %q: got %v", tc.name, tc.version, got)
		}
	}
}

func TestListSelects(t *testing.T) {
	r, _ := newGaugeREST(t, newGauge("c", "bad", "1"), newGauge("a", "ok", "1"), newGauge("b", "ok", "1"))
	for _, tc := range []struct{ fields, labels, want, reason string }{
		{"", "", "a b c", ""},
		{"metadata.name=b", "", "b", ""},
		{"metadata.name!=b", "", "a c", ""},
		{"metadata.name=x", "", "", ""},
		{"metadata.name=b", "state=bad", "", ""},
		{"", "state=ok", "a b", ""},
		{"", "state notin (ok)", "c", ""},
		{"status.verdict=Met", "", "", "BadRequest"},
		{"metadata.namespace=x", "", "", "BadRequest"},
	} {
		got, err := r.List(t.Context(), &metainternalversion.ListOptions{
			FieldSelector: selectFields(t, tc.fields), LabelSelector: selectLabels(t, tc.labels),
		})
		if reason(err) != tc.reason {
			t.Errorf("fields %q, labels %q: %v, want reason %q", tc.fields, tc.labels, err, tc.reason)
		}
		if err != nil {
			continue
		}
		list := plain(t, got)
		var names []string
		for _, item := range list.Items {
			names = append(names, item.Name)
			if item.ResourceVersion != "100" {
				t.Errorf("%s: resourceVersion %q", item.Name, item.ResourceVersion)
			}
		}
		if strings.Join(names, " ") != tc.want || list.ResourceVersion != "100" || list.Continue != "" {
			t.Errorf("fields %q, labels %q: %v at %q, want %s", tc.fields, tc.labels, names, list.ResourceVersion, tc.want)
		}
	}
}

func TestListVersions(t *testing.T) {
	r, provider := newGaugeREST(t, newGauge("a", "ok", "1"))
	if _, err := r.List(t.Context(), nil); err != nil { // 100 is remembered because it was served
		t.Fatal(err)
	}
	provider.publish(newGauge("a", "ok", "2"))
	for _, tc := range []struct{ version, match, want string }{
		{"", "", "110"},
		{"0", "", "110"},
		{"0", "NotOlderThan", "110"},
		{"100", "NotOlderThan", "110"},
		{"100", "", "110"},
		{"111", "NotOlderThan", "TooLarge"},
		{"111", "", "TooLarge"},
		{"110", "Exact", "110"},
		{"100", "Exact", "100"},
		{"105", "Exact", "Expired"},
		{"-1", "", "BadRequest"},
	} {
		got, err := r.List(t.Context(), &metainternalversion.ListOptions{
			ResourceVersion: tc.version, ResourceVersionMatch: metav1.ResourceVersionMatch(tc.match),
		})
		answer := reason(err)
		if err == nil {
			answer = plain(t, got).ResourceVersion
		}
		if answer != tc.want {
			t.Errorf("list at %q %s: %s (%v), want %s", tc.version, tc.match, answer, err, tc.want)
		}
	}
}

// Encoders write the type into what they encode; that may not reach the snapshot.
func TestAnswersAreTheCallers(t *testing.T) {
	r, provider := newGaugeREST(t, newGauge("a", "ok", "1"))
	before := *provider.snapshot.Items[0].DeepCopy()
	one, err := r.Get(t.Context(), "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	one.(*gauge).Kind = "Gauge"
	plain(t, all).Kind = "GaugeList"
	table, err := r.ConvertToTable(t.Context(), all, nil)
	if err != nil {
		t.Fatal(err)
	}
	table.Rows[0].Object.Object.(*gauge).Kind = "Gauge" // as with ?includeObject=Object
	again, err := r.List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if list := plain(t, again); list.Kind != "" || list.Items[0].Kind != "" {
		t.Errorf("another reader's list has the type %q, its item %q", list.Kind, list.Items[0].Kind)
	}
	if diff := cmp.Diff(before, provider.snapshot.Items[0]); diff != "" {
		t.Errorf("snapshot changed: %s", diff)
	}
}

func TestProviderErrors(t *testing.T) {
	for _, tc := range []struct {
		err  error
		code int32
	}{
		{errors.New("shutting down"), http.StatusServiceUnavailable},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), http.StatusGatewayTimeout},
		{apierrors.NewTooManyRequestsError("later"), http.StatusTooManyRequests},
	} {
		r, provider := newGaugeREST(t)
		provider.fail(tc.err)
		_, getErr := r.Get(t.Context(), "a", nil)
		_, listErr := r.List(t.Context(), nil)
		_, watchErr := r.Watch(t.Context(), nil)
		for _, err := range []error{getErr, listErr, watchErr} {
			status := apierrors.APIStatus(nil)
			if !errors.As(err, &status) || status.Status().Code != tc.code {
				t.Errorf("%v became %v, want code %d", tc.err, err, tc.code)
			}
		}
	}
}

func TestTable(t *testing.T) {
	r, _ := newGaugeREST(t, newGauge("a", "ok", "1"), newGauge("b", "ok", "1"))
	list, err := r.List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	bookmark := &gauge{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "100"}}
	for _, tc := range []struct {
		object  runtime.Object
		options runtime.Object
		headers int
		rows    []any
	}{
		{list, nil, 1, []any{"a", "b"}},
		{list, &metav1.TableOptions{NoHeaders: true}, 0, []any{"a", "b"}},
		{&plain(t, list).Items[1], &metav1.TableOptions{}, 1, []any{"b"}},
		{r.NewList(), nil, 1, []any{}},
		{bookmark, nil, 1, []any{""}},
	} {
		table, err := r.ConvertToTable(t.Context(), tc.object, tc.options)
		if err != nil {
			t.Fatal(err)
		}
		rows := []any{}
		for _, row := range table.Rows {
			rows = append(rows, row.Cells...)
			if row.Object.Object == nil {
				t.Errorf("row without object: %v", row.Cells)
			}
		}
		if !slices.Equal(rows, tc.rows) || len(table.ColumnDefinitions) != tc.headers {
			t.Errorf("table of %T: %v with %d headers, want %v with %d", tc.object, rows, len(table.ColumnDefinitions), tc.rows, tc.headers)
		}
	}
	for _, wrong := range []runtime.Object{&corev1.PodList{}, &corev1.Pod{}, &metav1.Status{}} {
		if table, err := r.ConvertToTable(t.Context(), wrong, nil); err == nil {
			t.Errorf("table of %T: %v, want an error", wrong, table)
		}
	}
}

func TestNewRESTNamesWhatIsMissing(t *testing.T) {
	for want, spoil := range map[string]func(*Kind[gauge, *gauge]){
		"resource and group": func(k *Kind[gauge, *gauge]) { k.Resource.Group = "" },
		"singular name":      func(k *Kind[gauge, *gauge]) { k.Singular = "" },
		"Changed":            func(k *Kind[gauge, *gauge]) { k.Changed = nil },
		"columns are":        func(k *Kind[gauge, *gauge]) { k.Columns = nil },
		`column "Name"`:      func(k *Kind[gauge, *gauge]) { k.Columns[0].Cell = nil },
	} {
		kind := gaugeKind()
		spoil(&kind)
		if _, err := NewREST(kind, &fake{}, time.Now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		}
	}
	if _, err := NewREST(gaugeKind(), nil, time.Now); err == nil {
		t.Error("no error without a provider")
	}
}
