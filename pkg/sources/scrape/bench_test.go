// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"example.io/slo-apiserver/pkg/sources"
)

// kubeAPIServer is a registry with 600 combinations of resource, verb and scope
// in a histogram that is read, and as many in one that is not.
func kubeAPIServer(b *testing.B) (observe func(), gather func() []*dto.MetricFamily) {
	registry := prometheus.NewRegistry()
	bounds := prometheus.ExponentialBuckets(0.005, 1.5, 24)
	labels := []string{"group", "resource", "scope", "verb"}
	read := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "sli_duration_seconds", Buckets: bounds}, labels)
	other := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "other_duration_seconds", Buckets: bounds}, labels)
	registry.MustRegister(read, other)
	n := 0
	observe = func() {
		n++
		for i := range 600 {
			values := []string{"apps", fmt.Sprint("resource", i/12), []string{"cluster", "namespace", "resource"}[i%3], fmt.Sprint("VERB", i/3%4)}
			read.WithLabelValues(values...).Observe(float64((i*n)%100) / 50)
			other.WithLabelValues(values...).Observe(1)
		}
	}
	gather = func() []*dto.MetricFamily {
		families, err := registry.Gather()
		if err != nil {
			b.Fatal(err)
		}
		return families
	}
	return observe, gather
}

var sli = sources.Signal{
	Name: "sli", Component: sources.KubeAPIServer, Kind: sources.Histogram,
	Metrics: []string{"sli_duration_seconds"}, Labels: []string{"group", "resource", "scope", "verb"},
}

// BenchmarkScrape decodes and stores one answer in which every series has changed.
func BenchmarkScrape(b *testing.B) {
	plans, err := newPlans([]sources.Signal{sli})
	if err != nil {
		b.Fatal(err)
	}
	observe, gather := kubeAPIServer(b)
	var texts, protos [][]byte
	for range 8 {
		observe()
		texts, protos = append(texts, text(b, gather()...)), append(protos, delimited(b, gather()...))
	}
	limits := Limits{BodyBytes: 1 << 30, SeriesPerTarget: 1 << 20, LabelBytes: 1024}
	for name, format := range map[string]struct {
		decode decoder
		bodies [][]byte
	}{"text": {decodeText, texts}, "protobuf": {decodeProto, protos}} {
		b.Run(name, func(b *testing.B) {
			store := newStore(10*time.Minute, limits.SeriesPerTarget)
			b.SetBytes(int64(len(format.bodies[0])))
			scanner := newScanner(plans[sources.KubeAPIServer], limits, newIdentities(), &scratches{})
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				e, err := scanner.read(bytes.NewReader(format.bodies[n%8]), format.decode)
				if err == nil {
					err = store.add(targetID{sources.KubeAPIServer, "a"}, noon.Add(time.Duration(n)*15*time.Second), e)
				}
				if err != nil {
					b.Fatal(err)
				}
				scanner.release()
			}
		})
	}
}

// BenchmarkRead reads five minutes of three kube-apiservers.
func BenchmarkRead(b *testing.B) {
	observe, gather := kubeAPIServer(b)
	var finder Static
	for i := range 3 {
		finder = append(finder, Target{Component: sources.KubeAPIServer, Name: fmt.Sprint("host-", i)})
	}
	config := newCluster(b).config([]sources.Signal{sli})
	config.Finders = []Finder{finder}
	source := mustNew(b, config)
	source.discover(0)
	source.started = true
	scanners := map[string]*scanner{}
	for _, target := range finder {
		scanners[target.Name] = newScanner(source.plans[target.Component], source.config.Limits, source.identities[target.Component], &source.scratch)
	}
	now := noon
	for range 42 {
		now = now.Add(15 * time.Second)
		observe()
		for _, target := range finder {
			scanner := scanners[target.Name]
			e, err := scanner.read(bytes.NewReader(delimited(b, gather()...)), decodeProto)
			if err == nil {
				err = source.store.add(target.id(), now, e)
			}
			if err != nil {
				b.Fatal(err)
			}
			scanner.release()
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		reading, err := source.Read(quiet(), now, 5*time.Minute)
		if err != nil || len(reading.Results["sli"].Series) != 600 {
			b.Fatalf("%d series, %v", len(reading.Results["sli"].Series), err)
		}
	}
}
