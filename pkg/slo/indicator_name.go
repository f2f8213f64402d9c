// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

const (
	// subresourceMark stands between a resource and its subresource. A dot would
	// not do: pods.status is also the resource pods of a group status.
	subresourceMark = "--"
	// hashMark stands before the hash in the names of keys that have no plain one.
	// No plain name has it: a label in front of a subresourceMark ends in no hyphen,
	// and the one behind it begins with none.
	hashMark = "---"
	// hashBytes of SHA-256: nobody finds two keys of one name.
	hashBytes = 16
)

// indicatorName of a key, a subdomain by RFC 1123:
//
//	<report>[.<verb>][.<resource>[--<subresource>]][.<group>]
//
// No two keys share one. The parts that an objective splits by are fixed, so that a
// plain name can be read back: the first label is the report, the next ones are the
// verb and the resource where it splits by them, and the rest is the group. A key
// that can not be written like that has what is readable of it and a hash.
func (o Objective) indicatorName(k key) string {
	if name, plain := o.plainName(k); plain {
		return name
	}
	// The lengths keep ("a", "bc") apart from ("ab", "c").
	h := sha256.New()
	for _, part := range []string{o.Name, k.verb, k.resource, k.subresource, k.group} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part) // a hash does not fail
	}
	suffix := hashMark + hex.EncodeToString(h.Sum(nil)[:hashBytes])
	return readable(joinName(o.Name, k), validation.DNS1123SubdomainMaxLength-len(suffix)) + suffix
}

func joinName(report string, k key) string {
	resource := k.resource
	if k.subresource != "" {
		resource += subresourceMark + k.subresource
	}
	parts := slices.DeleteFunc([]string{report, k.verb, resource, k.group}, func(s string) bool { return s == "" })
	return strings.ToLower(strings.Join(parts, "."))
}

// plainName reports whether the name can be read back.
func (o Objective) plainName(k key) (name string, plain bool) {
	splits := func(label string) bool { return slices.Contains(o.Key, label) }
	name = joinName(o.Name, k)
	plain = isPlainLabel(o.Name) && len(name) <= validation.DNS1123SubdomainMaxLength &&
		// An empty verb or resource would let the next part take its place.
		(!splits(labelVerb) && k.verb == "" || isPlainVerb(k.verb)) &&
		(!splits(labelResource) && k.resource == "" || isPlainLabel(k.resource)) &&
		(k.subresource == "" || k.resource != "" && isPlainLabel(k.subresource)) &&
		(k.group == "" || isPlainGroup(k.group))
	return name, plain
}

// isPlainVerb: the name has it in lower case, from which it is read back.
func isPlainVerb(verb string) bool {
	lower := strings.ToLower(verb)
	return isPlainLabel(lower) && strings.ToUpper(lower) == verb
}

func isPlainLabel(s string) bool {
	return len(validation.IsDNS1123Label(s)) == 0 && !strings.Contains(s, subresourceMark)
}

func isPlainGroup(group string) bool {
	return len(validation.IsDNS1123Subdomain(group)) == 0 && !strings.Contains(group, subresourceMark)
}

// readable makes the beginning of a subdomain of a text: of letters, digits, and
// single hyphens and dots between them. It is not empty.
func readable(s string, longest int) string {
	var out strings.Builder
	separator := byte(0)
	for i := 0; i < len(s) && out.Len() < longest-1; i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			if separator != 0 && out.Len() > 0 {
				out.WriteByte(separator)
			}
			out.WriteByte(c)
			separator = 0
		case separator != '.' && c == '.':
			separator = '.'
		case separator == 0:
			separator = '-'
		}
	}
	if out.Len() == 0 {
		return "key"
	}
	return out.String()
}

// indicatorLabels are the report and the key, as far as they are values of labels.
// The empty group and subresource are: so the core group can be selected.
func (o Objective) indicatorLabels(k key) map[string]string {
	labels := make(map[string]string, 6)
	set := func(label, value string) {
		if len(validation.IsValidLabelValue(value)) == 0 {
			labels[label] = value
		}
	}
	set(v1alpha1.LabelReport, o.Name)
	if o.Scope != "" {
		set(v1alpha1.LabelScope, o.Scope)
	}
	for _, label := range o.Key {
		switch label {
		case labelGroup:
			set(v1alpha1.LabelGroup, k.group)
		case labelResource:
			set(v1alpha1.LabelResource, k.resource)
		case labelSubresource:
			set(v1alpha1.LabelSubresource, k.subresource)
		case labelVerb:
			set(v1alpha1.LabelVerb, k.verb)
		}
	}
	return labels
}
