// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/sources"
)

// A scanner that remembers gives the store what one does that has never seen the target:
// while answers end in the middle or are refused, processes answer in turn, with and
// without a start time, one of them of an older version, series are over the limit and
// both formats are served.
func TestScannerRemembersInTrouble(t *testing.T) {
	for round := range uint64(20) {
		r := rand.New(rand.NewPCG(24, round))
		limit := 4 + r.IntN(40)
		remembers, forgets := troubled(t, limit), troubled(t, limit)
		remembers.due(allSlots) // is under way from now on
		scanner, processes, process := remembers.scannerOf(storeTarget), troubledProcesses(r, round%3 > 0), 0
		for step, now := 0, noon; step < 40; step++ {
			if r.IntN(6) == 0 {
				process = r.IntN(len(processes))
			}
			if r.IntN(3) > 0 {
				change(r, processes[process])
			}
			body, decode := troubledBody(t, processes[process], round%2 == 1 && step/5%2 == 1)
			if r.IntN(8) == 0 { // which may not show, between two families
				_, _ = scanner.read(bytes.NewReader(body[:r.IntN(len(body))]), decode)
				scanner.release()
			}
			if r.IntN(6) > 0 { // otherwise the sample is not newer, and refused
				now = now.Add(lifeInterval)
			}
			read, stored := keepTroubled(remembers, scanner, body, decode, now)
			if !read {
				continue // see passOver
			}
			_, storedToo := keepTroubled(forgets, newScanner(scanner.plan, scanner.limits, forgets.identities[sources.KubeAPIServer], &forgets.scratch), body, decode, now)
			if diff := cmp.Diff(troubledResults(t, forgets, now), troubledResults(t, remembers, now), cmpopts.EquateNaNs()); diff != "" || stored != storedToo {
				t.Fatalf("round %d, step %d: what one has that forgets, then one that remembers:\n%s", round, step, diff)
			}
		}
	}
}

func troubled(t *testing.T, limit int) *Source {
	c := Config{Signals: storeSignals, Finders: []Finder{Static{storeTarget}}, REST: &rest.Config{}, Interval: lifeInterval, History: 3 * time.Minute}
	c.Limits.SeriesPerTarget = limit
	s := mustNew(t, c)
	s.discover(0)
	s.started = true
	return s
}

// troubledProcesses are what three processes expose; the second one is older.
func troubledProcesses(r *rand.Rand, tellStart bool) [][]*dto.MetricFamily {
	processes := make([][]*dto.MetricFamily, 3)
	for i := range processes {
		for _, name := range []string{"h_old", "h_new", "c_old", "c_new", "g"} {
			typ := map[byte]dto.MetricType{'h': dto.MetricType_HISTOGRAM, 'c': dto.MetricType_COUNTER, 'g': dto.MetricType_GAUGE}[name[0]]
			if i != 1 || !strings.HasSuffix(name, "_new") {
				processes[i] = append(processes[i], randomFamily(r, name, typ))
			}
		}
		if tellStart {
			start := float64(noon.Add(-time.Hour * time.Duration(1+i)).Unix())
			processes[i] = append(processes[i], &dto.MetricFamily{Name: proto.String(startTime), Type: dto.MetricType_GAUGE.Enum(),
				Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &start}}}})
		}
	}
	return processes
}

func troubledBody(t *testing.T, families []*dto.MetricFamily, asText bool) ([]byte, decoder) {
	if asText {
		return text(t, families...), decodeText
	}
	return delimited(t, families...), decodeProto
}

// keepTroubled says whether a body was read, and stored.
func keepTroubled(s *Source, scanner *scanner, body []byte, decode decoder, now time.Time) (read, stored bool) {
	defer scanner.release()
	e, err := scanner.read(bytes.NewReader(body), decode)
	if err != nil {
		return false, false
	}
	return true, s.store.add(storeTarget.id(), now, e) == nil
}

func troubledResults(t *testing.T, s *Source, now time.Time) map[string][]sources.Series {
	results := map[string][]sources.Series{}
	for _, window := range []time.Duration{lifeInterval, 2 * time.Minute, 4 * time.Minute} {
		reading, err := s.Read(quiet(), now, window)
		if err != nil {
			t.Fatal(err)
		}
		for name, result := range reading.Results {
			results[window.String()+" "+name+" "+strings.Join(result.Metrics, " ")] = result.Series
		}
	}
	return results
}
