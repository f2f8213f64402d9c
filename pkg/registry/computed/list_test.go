// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apiserver/pkg/storage"
)

// Whatever the objects, the selector and the sizes of the pages: all pages together
// are the list, whatever is evaluated meanwhile, and no page but an only one is empty.
func TestPagesAreTheList(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 300 {
		r, provider := newGaugeREST(t)
		snapshot := provider.publish(randomSnapshot(random, 0).Items...)
		options := metainternalversion.ListOptions{LabelSelector: selectLabels(t, []string{"", "state=s0", "state!=s1"}[round%3])}
		whole, err := r.List(t.Context(), &options)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, item := range plain(t, whole).Items {
			want = append(want, item.Name+item.Labels["state"]+item.Annotations["count"])
		}
		for {
			options.Limit = random.Int64N(4) + 1
			list, err := r.List(t.Context(), &options)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			page := plain(t, list)
			for _, item := range page.Items {
				got = append(got, item.Name+item.Labels["state"]+item.Annotations["count"])
			}
			if page.ResourceVersion != formatVersion(snapshot.ResourceVersion) || int64(len(page.Items)) > options.Limit {
				t.Errorf("round %d: page of %d items at %s, want %d at %d", round, len(page.Items), page.ResourceVersion, options.Limit, snapshot.ResourceVersion)
			}
			if left := page.RemainingItemCount; left != nil && int(*left) != len(want)-len(got) {
				t.Errorf("round %d: %d left of %d after %d", round, *left, len(want), len(got))
			}
			if len(page.Items) == 0 && len(got) > 0 {
				t.Errorf("round %d: an empty page after %d items", round, len(got))
			}
			if page.Continue == "" {
				break
			}
			options.Continue = page.Continue
			provider.publish(randomSnapshot(random, 0).Items...)
			if _, err := r.List(t.Context(), nil); err != nil { // remembered, too
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("round %d: pages have %v, the list %v", round, got, want)
		}
	}
}

func TestContinue(t *testing.T) {
	r, provider := newGaugeREST(t, newGauge("a", "ok", "1"), newGauge("b", "ok", "1"), newGauge("c", "ok", "1"))
	list, err := r.List(t.Context(), &metainternalversion.ListOptions{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	page := plain(t, list)
	if page.Continue == "" || page.RemainingItemCount == nil || *page.RemainingItemCount != 2 {
		t.Fatalf("first page: %+v", page.ListMeta)
	}
	inconsistent, err := storage.EncodeContinue("/a\x00", "/", -1)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		token, version, want string
	}{
		{page.Continue, "", "b c at 100"},
		{page.Continue, "0", "b c at 100"},
		{page.Continue, "100", "BadRequest"},
		{encodeContinue(100, "c"), "", " at 100"},
		{encodeContinue(99, "a"), "", "Expired"},
		{inconsistent, "", "BadRequest"},
		{"x", "", "BadRequest"},
		{strings.TrimSuffix(page.Continue, page.Continue[len(page.Continue)-4:]), "", "BadRequest"},
	} {
		list, err := r.List(t.Context(), &metainternalversion.ListOptions{Continue: tc.token, ResourceVersion: tc.version})
		got := reason(err)
		if err == nil {
			var names []string
			for _, item := range plain(t, list).Items {
				names = append(names, item.Name)
			}
			got = strings.Join(names, " ") + " at " + plain(t, list).ResourceVersion
		}
		if got != tc.want {
			t.Errorf("continue %q at %q: %s (%v), want %s", tc.token, tc.version, got, err, tc.want)
		}
	}

	for i := range remembered {
		provider.publish(newGauge("a", "ok", fmt.Sprint(i)))
		if _, err := r.List(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.List(t.Context(), &metainternalversion.ListOptions{Continue: page.Continue}); reason(err) != "Expired" {
		t.Errorf("continue in an evaluation that is forgotten: %v", err)
	}
}

// A version with a limit asks for that version, one without for any that is not older.
func TestLimitAtVersion(t *testing.T) {
	r, provider := newGaugeREST(t, newGauge("a", "ok", "1"), newGauge("b", "ok", "1"))
	if _, err := r.List(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	provider.publish(newGauge("a", "ok", "2"), newGauge("b", "ok", "2"))
	for _, tc := range []struct{ version, match, want string }{
		{"", "", "110"}, {"0", "", "110"}, {"100", "", "100"}, {"100", "NotOlderThan", "110"}, {"105", "", "Expired"},
	} {
		options := metainternalversion.ListOptions{ResourceVersion: tc.version, Limit: 1}
		options.ResourceVersionMatch = "" // as most clients have it
		if tc.match != "" {
			options.ResourceVersionMatch = "NotOlderThan"
		}
		list, err := r.List(t.Context(), &options)
		got := reason(err)
		if err == nil {
			got = plain(t, list).ResourceVersion
		}
		if got != tc.want {
			t.Errorf("limit at %q %s: %s (%v), want %s", tc.version, tc.match, got, err, tc.want)
		}
	}
}

// Many evaluations are kept of few objects, few of many.
func TestMemoryIsBounded(t *testing.T) {
	for _, tc := range []struct{ objects, want int }{
		{0, remembered}, {600, remembered}, {rememberedObjects / 10, 10}, {rememberedObjects, rememberedAlways},
	} {
		m := &memory[gauge, *gauge]{}
		for i := range remembered + 1 {
			m.add(&Snapshot[gauge]{ResourceVersion: uint64(10 * (i + 1)), Items: make([]gauge, tc.objects)})
		}
		if len(m.evaluations) != tc.want {
			t.Errorf("%d evaluations of %d objects, want %d", len(m.evaluations), tc.objects, tc.want)
		}
		if newest := m.evaluations[len(m.evaluations)-1]; newest.version != 10*(remembered+1) {
			t.Errorf("of %d objects: the newest is %d", tc.objects, newest.version)
		}
	}
}
