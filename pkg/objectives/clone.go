// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"maps"
	"slices"
)

// Clone returns a catalog that shares nothing with c that can be changed.
func (c *Catalog) Clone() *Catalog {
	out := &Catalog{
		Objectives: slices.Clone(c.Objectives),
		Signals:    slices.Clone(c.Signals),
		Profiles:   slices.Clone(c.Profiles),
	}
	for i := range out.Objectives {
		o := &out.Objectives[i]
		o.Verbs, o.Key = slices.Clone(o.Verbs), slices.Clone(o.Key)
		o.Good, o.Bad = cloneValues(o.Good), cloneValues(o.Bad)
		o.Exclude = slices.Clone(o.Exclude)
		for j := range o.Exclude {
			o.Exclude[j] = maps.Clone(o.Exclude[j])
		}
		if o.MinimumRequests != nil {
			minimum := *o.MinimumRequests
			o.MinimumRequests = &minimum
		}
	}
	for i := range out.Signals {
		s := &out.Signals[i]
		s.Metrics, s.Labels = slices.Clone(s.Metrics), slices.Clone(s.Labels)
		s.Match = cloneValues(s.Match)
		s.BucketSeconds = slices.Clone(s.BucketSeconds)
	}
	return out
}

func cloneValues(values map[string][]string) map[string][]string {
	out := maps.Clone(values)
	for label := range out {
		out[label] = slices.Clone(out[label])
	}
	return out
}
