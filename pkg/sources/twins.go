// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Twins warns of observed kube-apiservers that started in the same millisecond, in
// plain English: most likely they are one process that is known under two names,
// such as an address and a host name, and all of it is added up twice. Two processes
// that do start at one time are possible, so that it is no more than a warning.
// Kubelets are left out: nodes are named once, and many of them boot together.
func Twins(instances []Instance) []Warning {
	byStart := map[time.Time][]string{}
	var starts []time.Time
	for _, i := range instances {
		if i.Component != KubeAPIServer || !i.Observed || i.Started.IsZero() {
			continue
		}
		start := i.Started.UTC().Truncate(time.Millisecond)
		if byStart[start] == nil {
			starts = append(starts, start)
		}
		byStart[start] = append(byStart[start], i.Name)
	}
	slices.SortFunc(starts, time.Time.Compare)
	var warnings []Warning
	for _, start := range starts {
		if names := slices.Compact(slices.Sorted(slices.Values(byStart[start]))); len(names) > 1 {
			warnings = append(warnings, Warning{
				Reason: TwinInstances, Component: KubeAPIServer, Instances: names,
				Message: fmt.Sprintf("%ss %s started at the same moment: if they are one process, its requests and seats are counted %d times; name it once",
					KubeAPIServer, strings.Join(names, " and "), len(names)),
			})
		}
	}
	return warnings
}
