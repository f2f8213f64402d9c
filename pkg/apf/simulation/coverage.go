// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"strings"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// unread are the kube-apiservers that were expected, and why they were not read.
func (s *simulation) unread() []string {
	if s.Reading == nil {
		return nil
	}
	var unread []string
	for _, i := range s.Reading.Instances {
		if i.Component == sources.KubeAPIServer && !i.Observed {
			unread = append(unread, strings.TrimSuffix(i.Name+" ("+i.Problem+")", " ()"))
		}
	}
	return unread
}

// unlisted is how many kube-apiservers there are that the source does not know, as the
// headrooms have it.
func (s *simulation) unlisted() int {
	if s.Reading == nil {
		return 0
	}
	known, expected := 0, 0
	for _, i := range s.Reading.Instances {
		if i.Component == sources.KubeAPIServer {
			known++
		}
	}
	for i := range s.Headrooms {
		if instances := s.Headrooms[i].Status.Instances; instances != nil {
			expected = max(expected, int(instances.Expected))
		}
	}
	return max(0, expected-known)
}

func (s *simulation) unlistedMessage() string {
	return fmt.Sprintf("%d of %d kube-apiservers are not known to the source of the metrics: add them to what is scraped", s.unlisted(), s.counts().Expected)
}

// counts as on an APFHeadroom: an instance that was read, but not over the whole
// window, is in the figures and still missing here.
func (s *simulation) counts() *v1alpha1.InstanceCounts {
	counts := &v1alpha1.InstanceCounts{}
	complete := map[string]bool{}
	for _, o := range s.observed {
		complete[o.Name] = o.complete
	}
	for _, i := range s.Reading.Instances {
		if i.Component != sources.KubeAPIServer {
			continue
		}
		counts.Expected++
		if complete[i.Name] {
			counts.Observed++
		} else if len(counts.Missing) < maxNames {
			counts.Missing = append(counts.Missing, i.Name)
		}
	}
	counts.Expected += int32(s.unlisted())
	return counts
}
