// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/sources"
)

// zones are a transport to kubelets, every third of which can not be reached any
// more once the zone has gone.
type zones struct {
	size   int
	gone   time.Time
	failed time.Duration // that a request takes to fail then
}

func (z *zones) isGone(i int) bool { return i%3 == 0 }

func (z *zones) Targets() ([]Target, error) { return nodes(z.size).targets, nil }

func (z *zones) RoundTrip(request *http.Request) (*http.Response, error) {
	var node int
	if _, err := fmt.Sscanf(request.URL.Host, "node-%d", &node); err != nil {
		return nil, err
	}
	if !z.isGone(node) || time.Now().Before(z.gone) {
		time.Sleep(20 * time.Millisecond)
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader("x 1\n")),
		}, nil
	}
	select {
	case <-time.After(z.failed):
		return nil, errors.New("no route to host")
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
}

// unobserved nodes of those that are left.
func (z *zones) unobserved(t *testing.T, source *Source) (n int) {
	reading, err := source.Read(quiet(), time.Now(), 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	observed := map[string]bool{}
	for _, i := range reading.Instances {
		observed[i.Name] = i.Observed
	}
	for i := range z.size {
		if !z.isGone(i) && !observed[fmt.Sprintf("node-%d", i)] {
			n++
		}
	}
	return n
}

// A zone of a cloud goes away, a third of 5,000 nodes. Those that are left are
// observed all the time, whether the others hang or fail slowly.
func TestZoneIsGone(t *testing.T) {
	for _, failed := range []time.Duration{3 * time.Second, time.Hour} {
		t.Run(failed.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := &zones{size: 5000, gone: time.Now().Add(40 * time.Second), failed: failed}
				source := mustNew(t, Config{
					Signals: []sources.Signal{{Name: "x", Component: sources.Kubelet, Kind: sources.Gauge, Metrics: []string{"x"}}},
					Finders: []Finder{z}, REST: &rest.Config{Transport: z},
				})
				ctx, stop := context.WithCancel(quiet())
				ended := make(chan error)
				go func() { ended <- source.Run(ctx) }()
				for range 6 {
					time.Sleep(20*time.Second + time.Millisecond)
					if n := z.unobserved(t, source); n > 0 {
						t.Errorf("%d of those that are left are not observed %s after the zone has gone", n, time.Since(z.gone))
					}
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
