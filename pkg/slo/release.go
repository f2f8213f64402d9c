// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

// release of Kubernetes 1.
type release struct {
	minor, patch int
}

// gitVersion is what Kubernetes and its distributions call themselves: v1.34.8,
// v1.34.8-eks-1a2b3c4, v1.34.8+k3s1, v1.35.0-alpha.2.
var gitVersion = regexp.MustCompile(`^v1\.(\d{1,3})\.(\d{1,4})(-(?:alpha|beta|rc)\.)?`)

// parseRelease returns the release of a version. What comes before a release, such as
// v1.35.0-alpha.2, has patch -1: what that release changed may not be in it.
func parseRelease(version string) (release, bool) {
	parts := gitVersion.FindStringSubmatch(version)
	if parts == nil {
		return release{}, false
	}
	minor, _ := strconv.Atoi(parts[1])
	patch, _ := strconv.Atoi(parts[2])
	if parts[3] != "" {
		patch--
	}
	return release{minor, patch}, true
}

func (r release) String() string {
	if r.patch < 0 {
		return fmt.Sprintf("1.%d (not yet released)", r.minor)
	}
	return fmt.Sprintf("1.%d.%d", r.minor, r.patch)
}

func (r release) compare(other release) int {
	return cmp.Or(cmp.Compare(r.minor, other.minor), cmp.Compare(r.patch, other.patch))
}

func (r release) before(minor, patch int) bool { return r.compare(release{minor, patch}) < 0 }

// queueTimeIncluded: until 1.26 the indicator is the time since the request came
// without that of webhooks, and from 1.27.0 on also without the wait in queues of API
// Priority & Fairness (k8s.io/apiserver pkg/endpoints/metrics, MonitorRequest).
func (r release) queueTimeIncluded() bool { return r.before(27, 0) }

// dryRunsIncluded: 1.35.0 left dry runs out (kubernetes #131092, not backported). They
// can not be told from others: the metric has no label for them.
func (r release) dryRunsIncluded() bool { return r.before(35, 0) }

// statefulPodsIncluded: kubelets leave stateful pods and the time of init containers out
// from 1.36.0 on, and in 1.35.5 (kubernetes #138153) and 1.34.8 (#138156).
func (r release) statefulPodsIncluded() bool {
	switch r.minor {
	case 34:
		return r.before(34, 8)
	case 35:
		return r.before(35, 5)
	}
	return r.before(36, 0)
}
