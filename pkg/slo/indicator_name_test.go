// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

func splitBy(report string, labels ...string) Objective {
	return Objective{Name: report, Key: labels}
}

var (
	byVerb     = splitBy("api-latency-mutating", labelGroup, labelResource, labelSubresource, labelVerb)
	byResource = splitBy("api-latency-readonly-resource", labelGroup, labelResource, labelSubresource)
	byNothing  = splitBy(PodStartupLatency)
)

func TestIndicatorNames(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, tc := range []struct {
		objective Objective
		key       key
		want      string
	}{
		{byVerb, key{"apps", "deployments", "", "PATCH"}, "api-latency-mutating.patch.deployments.apps"},
		{byVerb, key{"apps", "deployments", "scale", "PUT"}, "api-latency-mutating.put.deployments--scale.apps"},
		{byVerb, key{"", "pods", "status", "PATCH"}, "api-latency-mutating.patch.pods--status"},
		{byVerb, key{"gateway.networking.k8s.io", "httproutes", "", "APPLY"}, "api-latency-mutating.apply.httproutes.gateway.networking.k8s.io"},
		{byResource, key{"", "pods", "", ""}, "api-latency-readonly-resource.pods"},
		{byResource, key{"status", "pods", "", ""}, "api-latency-readonly-resource.pods.status"},
		{byResource, key{"", "pods", "status", ""}, "api-latency-readonly-resource.pods--status"},
		{byNothing, key{}, "pod-startup-latency"},
		// What can not be read back has a hash.
		{byVerb, key{"", "pods", "", "patch"}, "api-latency-mutating.patch.pods---"},
		{byVerb, key{"", "pods", "", ""}, "api-latency-mutating.pods---"},
		{byVerb, key{"", "", "", ""}, "api-latency-mutating---"},
		{byVerb, key{"", "pods", "", "\u212aILL"}, "api-latency-mutating.kill.pods---"}, // the sign of kelvin
		{byResource, key{"", "Pods", "", ""}, "api-latency-readonly-resource.pods---"},
		{byResource, key{"", "pods--status", "", ""}, "api-latency-readonly-resource.pods-status---"},
		{byResource, key{"", "pods", "x/../y", ""}, "api-latency-readonly-resource.pods-x.y---"},
		{byResource, key{"xn--bcher-kva.example", "books", "", ""}, "api-latency-readonly-resource.books.xn-bcher-kva.example---"},
		{byResource, key{".apps.", "-", "", ""}, "api-latency-readonly-resource.apps---"},
		{byResource, key{"\xff\x00", "", "\n", ""}, "api-latency-readonly-resource---"},
		{byResource, key{long, "pods", "", ""}, "api-latency-readonly-resource.pods." + long},
		{splitBy("a.b", labelResource), key{"", "pods", "", ""}, "a.b.pods---"},
		{splitBy("\u00c4"), key{}, "key---"},
	} {
		got := tc.objective.indicatorName(tc.key)
		plain, _, hashed := strings.Cut(got, hashMark)
		if want := strings.TrimSuffix(tc.want, hashMark); hashed {
			if !strings.HasPrefix(want, plain) || (len(want) < 200 && plain != want) {
				t.Errorf("%v: %s, want %s and a hash", tc.key, got, tc.want)
			}
		} else if got != tc.want {
			t.Errorf("%v: %s, want %s", tc.key, got, tc.want)
		}
		if problems := validation.IsDNS1123Subdomain(got); len(problems) > 0 {
			t.Errorf("%v: %s: %v", tc.key, got, problems)
		}
	}
}

// Parts that are made for being mistaken: for each other, for marks, for hashes.
var confusing = []string{"", "a", "b", "a.b", "a-b", "a--b", "--", "---", "-", ".", "A", "B", "Ab", "a_b", "a/b", "a b", "\u00e4", "\u212a", "k", "K", "a---b", "a.", ".a", "patch", "PATCH"}

// No two keys have the same name, whatever an objective is split by.
func TestIndicatorNamesAreUnique(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	some := func() string {
		s := confusing[random.IntN(len(confusing))]
		if random.IntN(4) == 0 {
			s += confusing[random.IntN(len(confusing))]
		}
		return s
	}
	for _, labels := range [][]string{
		{labelGroup, labelResource, labelSubresource, labelVerb},
		{labelGroup, labelResource, labelSubresource},
		{labelVerb, labelGroup}, {labelSubresource}, {labelResource, labelVerb}, {},
	} {
		seen := map[string]key{}
		names := map[string]Objective{}
		for range 20_000 {
			report := confusing[random.IntN(len(confusing))] + "r"
			// The same report is always split in the same way.
			o := splitBy(report, labels...)
			names[report] = o
			k := o.keyOf(func(string) string { return some() })
			name := o.indicatorName(k)
			if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
				t.Fatalf("%q %q: %s: %v", report, k, name, problems)
			}
			identity := key{report + "\x00" + k.group, k.resource, k.subresource, k.verb}
			if other, ok := seen[name]; ok && other != identity {
				t.Fatalf("split by %v: %q and %q are both %s", labels, other, identity, name)
			}
			seen[name] = identity
		}
	}
}

func FuzzIndicatorNames(f *testing.F) {
	f.Add("a", "pods", "status", "PATCH", "a", "pods--status", "", "PATCH")
	f.Add("", "", "", "", "\xff", "---", "a.b", "k")
	f.Fuzz(func(t *testing.T, g1, r1, s1, v1, g2, r2, s2, v2 string) {
		one, two := key{g1, r1, s1, v1}, key{g2, r2, s2, v2}
		a, b := byVerb.indicatorName(one), byVerb.indicatorName(two)
		if a == b && one != two {
			t.Errorf("%q and %q are both %s", one, two, a)
		}
		if problems := validation.IsDNS1123Subdomain(a); len(problems) > 0 {
			t.Errorf("%q: %s: %v", one, a, problems)
		}
		for label, value := range byVerb.indicatorLabels(one) {
			if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
				t.Errorf("%q: %s=%s: %v", one, label, value, problems)
			}
		}
	})
}

func TestIndicatorLabels(t *testing.T) {
	byVerb := byVerb
	byVerb.Scope = "resource"
	labels := byVerb.indicatorLabels(key{"", "pods", "", "PATCH"})
	for label, want := range map[string]string{
		v1alpha1.LabelReport: "api-latency-mutating", v1alpha1.LabelScope: "resource", v1alpha1.LabelVerb: "PATCH",
		v1alpha1.LabelGroup: "", v1alpha1.LabelResource: "pods", v1alpha1.LabelSubresource: "",
	} {
		if got, ok := labels[label]; !ok || got != want {
			t.Errorf("%s: %q %t, want %q", label, got, ok, want)
		}
	}
	labels = byResource.indicatorLabels(key{strings.Repeat("g", 64), "a b", "\u00e4", ""})
	if len(labels) != 1 {
		t.Errorf("labels %v, want the report only", labels)
	}
}
