// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/scrape"
)

// expected is how many kube-apiservers the cluster says that it has, for a source that
// does not find them there itself. It is nil while that is not known: before the slices
// of default/kubernetes were read, without the right to, and when they list nobody. A
// managed control plane may list a load balancer, and more kube-apiservers than are
// listed are no news: it is the fewest that there are.
func (o *objects) expected() map[sources.Component]int {
	if o.slices == nil {
		return nil
	}
	listed, err := scrape.APIServers{Slices: o.slices, Synced: o.synced[endpointSlices]}.Targets()
	if err != nil {
		return nil
	}
	return map[sources.Component]int{sources.KubeAPIServer: len(listed)}
}

// expected is nil with the embedded source, which finds its targets itself or is told
// which there are.
func (c CompletedConfig) expected(objects *objects) func() map[sources.Component]int {
	if c.Source.Prometheus == nil {
		return nil
	}
	return objects.expected
}
