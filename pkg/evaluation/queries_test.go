// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources/prometheus"
)

// Prometheus is asked once in an interval, whatever the number of those who read.
func TestQueriesDoNotGrowWithReaders(t *testing.T) {
	var queries atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		queries.Add(1)
		answer := `{"status":"success","data":{"resultType":"vector","result":[]}}`
		if r.FormValue("query") == "1" {
			answer = `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	read := func(readers int) (perInterval int64) {
		client, err := prometheus.NewClient(prometheus.ClientConfig{URL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		source, err := prometheus.New(prometheus.Config{Client: client, Signals: slo.Signals()})
		if err != nil {
			t.Fatal(err)
		}
		const intervals = 5
		queries.Store(0)
		e, clock := newEvaluator(t, source, fakeCluster{})
		for range intervals {
			var all sync.WaitGroup
			for range readers {
				all.Go(func() { latest(t, e) })
			}
			all.Wait()
			clock.Step(interval)
		}
		if queries.Load() < intervals {
			t.Fatalf("%d queries in %d intervals", queries.Load(), intervals)
		}
		return queries.Load()
	}
	if one, many := read(1), read(200); one != many {
		t.Errorf("one reader made %d queries, 200 made %d", one, many)
	}
}
