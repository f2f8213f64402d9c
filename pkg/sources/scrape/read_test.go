// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/sources"
)

var requests = sources.Signal{
	Name: "requests", Component: sources.KubeAPIServer, Kind: sources.Counter,
	Metrics: []string{"requests_total"}, Labels: []string{"verb"},
}

var seats = sources.Signal{
	Name: "seats", Component: sources.KubeAPIServer, Kind: sources.Gauge,
	Metrics: []string{"seats"},
}

// script plays a cluster at one scrape per minute.
type script struct {
	*cluster
	t      *testing.T
	source *Source
	now    time.Time
}

func newScript(t *testing.T, change func(*Config), signals ...sources.Signal) *script {
	c := newCluster(t)
	config := c.config(signals)
	config.Interval = time.Minute
	if change != nil {
		change(&config)
	}
	return &script{cluster: c, t: t, source: mustNew(t, config), now: noon}
}

// collect lets a minute pass and scrapes.
func (s *script) collect() {
	s.now = s.now.Add(time.Minute)
	s.source.Collect(quiet(), s.now)
}

func (s *script) read(window time.Duration) *sources.Reading {
	s.t.Helper()
	reading, err := s.source.Read(quiet(), s.now, window)
	if err != nil {
		s.t.Fatal(err)
	}
	return reading
}

// process is a body of a process that started so long before noon.
func body(started time.Duration, lines ...string) string {
	start := fmt.Sprintf("process_start_time_seconds %d", noon.Add(-started).Unix())
	return strings.Join(append(lines, start), "\n") + "\n"
}

func names(reading *sources.Reading) (names []string) {
	for _, i := range reading.Instances {
		name := i.Name
		if !i.Observed {
			name += " unobserved"
		}
		names = append(names, name)
	}
	return names
}

func increase(t *testing.T, reading *sources.Reading, values ...string) float64 {
	t.Helper()
	for _, s := range reading.Results["requests"].Series {
		if slices.Equal(s.Values, values) {
			return s.Increase
		}
	}
	t.Fatalf("no series %q in %+v", values, reading.Results["requests"])
	return 0
}

func wantWarning(t *testing.T, warnings []sources.Warning, parts ...string) {
	t.Helper()
	for _, w := range warnings {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(string(w.Reason)+": "+w.Message, p) }) {
			return
		}
	}
	t.Errorf("no warning with %q in %q", parts, warnings)
}

// Two kube-apiservers behind a load balancer answer in turn. Read as one, their
// counters would fall at every other scrape and 600 requests would seem 20 times
// as many.
func TestSharedAddress(t *testing.T) {
	s := newScript(t, nil, requests)
	for minute := range 7 {
		started, count := 48*time.Hour, 100_000+100*minute
		if minute%2 == 1 {
			started, count = 24*time.Hour, 500+10*minute
		}
		s.page(sources.KubeAPIServer, "lb:443").set(body(started, fmt.Sprintf(`requests_total{verb="GET"} %d`, count)))
		s.collect()
	}
	reading := s.read(4 * time.Minute)
	// The older one from minute 3 to 7; the younger one, last read in minute 6,
	// from minute 2.
	if got, want := increase(t, reading, "GET"), 400.0+40; got != want {
		t.Errorf("%v requests, want %v", got, want)
	}
	old, young := noon.Add(-48*time.Hour).Unix(), noon.Add(-24*time.Hour).Unix()
	if diff := cmp.Diff([]string{fmt.Sprintf("lb:443#%d", old), fmt.Sprintf("lb:443#%d", young)}, names(reading)); diff != "" {
		t.Error(diff)
	}
	wantWarning(t, reading.Warnings, "SharedAddress: ", "lb:443", "2 processes", "load balancer")
}

// A process that had been running since before the window, and answers only after
// another one did within it, is no restart: it is covered from its first answer
// only, and must not borrow the coverage of the other.
func TestSharedAddressInTwoRuns(t *testing.T) {
	s := newScript(t, nil, requests)
	for minute := range 8 {
		started := 48 * time.Hour
		if minute >= 5 {
			started = 24 * time.Hour
		}
		s.page(sources.KubeAPIServer, "lb:443").set(body(started, fmt.Sprintf(`requests_total{verb="GET"} %d`, 100+minute)))
		s.collect()
	}
	reading := s.read(5 * time.Minute)
	if got, want := increase(t, reading, "GET"), 2.0+2; got != want {
		t.Errorf("%v requests, want %v", got, want)
	}
	for _, i := range reading.Instances {
		if strings.HasSuffix(i.Name, fmt.Sprint(noon.Add(-24*time.Hour).Unix())) && i.Covered() != 2*time.Minute {
			t.Errorf("the younger process is covered for %s", i.Covered())
		}
	}
	if len(reading.Instances) != 2 {
		t.Errorf("instances %q", names(reading))
	}
}

// A rolling restart moves kube-apiservers to other addresses: what the old one
// served still counts, and it is not missing.
func TestTargetGone(t *testing.T) {
	s := newScript(t, nil, requests, seats)
	for minute := range 8 {
		if minute < 5 {
			s.page(sources.KubeAPIServer, "10.0.0.1:6443").set(body(time.Hour, fmt.Sprintf(`requests_total{verb="GET"} %d`, 10*minute), "seats 7"))
		} else {
			s.remove(sources.KubeAPIServer, "10.0.0.1:6443")
			s.page(sources.KubeAPIServer, "10.0.0.2:6443").set(body(-5*time.Minute, fmt.Sprintf(`requests_total{verb="GET"} %d`, minute), "seats 2"))
		}
		s.collect()
	}
	reading := s.read(5 * time.Minute)
	if diff := cmp.Diff([]string{"10.0.0.2:6443"}, names(reading)); diff != "" {
		t.Error(diff)
	}
	if got, want := increase(t, reading, "GET"), 20.0+7; got != want {
		t.Errorf("%v requests, want %v", got, want)
	}
	if diff := cmp.Diff([]sources.Series{{Values: []string{}, Last: 2, Max: 2}}, reading.Results["seats"].Series); diff != "" {
		t.Errorf("seats of a process that is gone: %s", diff)
	}
	wantWarning(t, reading.Warnings, "TargetGone: ", "10.0.0.1:6443", "no longer a target")

	for range 15 {
		s.collect()
	}
	if held := len(s.source.store.targets); held != 1 {
		t.Errorf("%d targets held long after one has gone", held)
	}
	if warnings := s.read(5 * time.Minute).Warnings; warnings != nil {
		t.Errorf("still warns: %q", warnings)
	}
}

// Scrapes that fail leave a gap; after two and a half intervals the instance is
// not observed, and says why.
func TestStale(t *testing.T) {
	s := newScript(t, nil, requests)
	page := s.page(sources.KubeAPIServer, "10.0.0.1:6443")
	page.set(body(time.Hour, `requests_total{verb="GET"} 1`))
	s.collect()
	page.fail(http.StatusForbidden)
	s.collect()
	s.collect()
	if got := names(s.read(5 * time.Minute)); !slices.Equal(got, []string{"10.0.0.1:6443"}) {
		t.Errorf("after two missed scrapes: %q", got)
	}
	s.collect()
	reading := s.read(5 * time.Minute)
	if got := names(reading); !slices.Equal(got, []string{"10.0.0.1:6443 unobserved"}) {
		t.Fatalf("after three missed scrapes: %q", got)
	}
	want := "last read at 2026-03-01T12:01:00Z: scrape kube-apiserver 10.0.0.1:6443: 403 Forbidden: the ClusterRole needs"
	if got := reading.Instances[0].Problem; !strings.HasPrefix(got, want) {
		t.Errorf("problem %q, want %q", got, want)
	}
}

// A bad body fails its own scrape, with the target and the line.
func TestBadBody(t *testing.T) {
	s := newScript(t, nil, requests)
	s.page(sources.KubeAPIServer, "good").set(body(time.Hour, `requests_total{verb="GET"} 1`))
	s.page(sources.KubeAPIServer, "bad").set("# comment\nrequests_total{verb=\"GET\"} many\n")
	s.collect()
	reading := s.read(5 * time.Minute)
	if diff := cmp.Diff([]string{"bad unobserved", "good"}, names(reading)); diff != "" {
		t.Error(diff)
	}
	want := `never read: scrape kube-apiserver bad: line 2: requests_total: value "many" is not a number`
	if got := reading.Instances[0].Problem; got != want {
		t.Errorf("problem %q, want %q", got, want)
	}
}

// A finder that fails is a warning, and what it found before stays expected.
func TestFinderFails(t *testing.T) {
	s := newScript(t, nil, requests)
	if _, err := s.source.Read(quiet(), s.now, time.Minute); !errors.Is(err, errNotYet) {
		t.Errorf("read before the first scrape: %v", err)
	}
	s.err = fmt.Errorf("find kube-apiservers: not synced yet")
	s.collect()
	reading := s.read(5 * time.Minute)
	wantWarning(t, reading.Warnings, "TargetsUnknown: ", "not synced yet")
	wantWarning(t, reading.Warnings, "no kube-apiserver to scrape was found")
	if result, ok := reading.Results["requests"]; !ok || result.Series != nil {
		t.Errorf("result %+v, %t", result, ok)
	}

	s.err = nil
	s.page(sources.KubeAPIServer, "a").set(body(time.Hour, `requests_total{verb="GET"} 1`))
	s.collect()
	s.err = fmt.Errorf("find kube-apiservers: no address")
	s.collect()
	reading = s.read(5 * time.Minute)
	wantWarning(t, reading.Warnings, "no address")
	if got := names(reading); !slices.Equal(got, []string{"a"}) || len(reading.Warnings) != 1 {
		t.Errorf("instances %q, warnings %q", got, reading.Warnings)
	}
}

// At the limit new series are refused for good: one that came in later would seem
// to begin at zero. Those that are known go on, and every reading says so.
func TestSeriesLimit(t *testing.T) {
	s := newScript(t, func(c *Config) { c.Limits.SeriesPerTarget = 3 }, requests)
	page := s.page(sources.KubeAPIServer, "a")
	lines := []string{`requests_total{verb="GET"} 10`, `requests_total{verb="LIST"} 20`}
	page.set(body(time.Hour, lines...))
	s.collect()
	if warnings := s.read(5 * time.Minute).Warnings; warnings != nil {
		t.Errorf("warns below the limit: %q", warnings)
	}
	lines = []string{`requests_total{verb="A"} 1`, `requests_total{verb="B"} 1`, `requests_total{verb="GET"} 15`, `requests_total{verb="LIST"} 20`}
	page.set(body(time.Hour, lines...))
	for range 20 { // the series A is dropped with the history, and leaves room for B
		s.collect()
		lines[0] = "other 1"
		page.set(body(time.Hour, lines...))
		reading := s.read(5 * time.Minute)
		wantWarning(t, reading.Warnings, "SeriesLimit: ", "more than 3 series", "a")
		for _, series := range reading.Results["requests"].Series {
			if series.Values[0] == "B" {
				t.Fatalf("B counted %v at %s", series.Increase, s.now)
			}
		}
	}
	if got := s.read(30 * time.Minute); increase(t, got, "GET") != 0 {
		t.Errorf("GET counted %v since it is held", increase(t, got, "GET"))
	}
}

// A series that vanishes ends there; one that comes back begins at zero. A gauge
// that has vanished is not zero.
func TestSeriesVanishes(t *testing.T) {
	s := newScript(t, nil, requests, seats)
	page := s.page(sources.KubeAPIServer, "a")
	for _, lines := range [][]string{
		{`requests_total{verb="GET"} 7`, "seats 3"},
		{`requests_total{verb="GET"} 9`, "seats 5"},
		{},
		{`requests_total{verb="GET"} 10`},
	} {
		page.set(body(time.Hour, lines...))
		s.collect()
	}
	reading := s.read(3 * time.Minute)
	if got, want := increase(t, reading, "GET"), 2.0+10; got != want {
		t.Errorf("%v requests, want %v", got, want)
	}
	if got := reading.Results["seats"]; got.Series != nil || !slices.Equal(got.Metrics, []string{"seats"}) {
		t.Errorf("a gauge that has vanished: %+v", got)
	}
	for range 20 {
		s.collect()
	}
	if held := len(s.source.store.targets[targetID{sources.KubeAPIServer, "a"}][0].series); held != 1 {
		t.Errorf("%d series held long after one has vanished", held)
	}
}

// A clock that runs ahead can not make a process start after it was read.
func TestStartInTheFuture(t *testing.T) {
	s := newScript(t, nil, requests)
	s.page(sources.KubeAPIServer, "a").set(body(-time.Hour, `requests_total{verb="GET"} 5`))
	s.collect()
	reading := s.read(5 * time.Minute)
	if i := reading.Instances[0]; !i.Started.Equal(s.now) || !i.First.Equal(s.now) || increase(t, reading, "GET") != 5 {
		t.Errorf("%+v, %v requests", i, increase(t, reading, "GET"))
	}
}

// A start time that moves by the rounding of the kernel is the same process.
func TestStartMovesByASecond(t *testing.T) {
	s := newScript(t, nil, requests)
	for minute := range 4 {
		started := time.Minute - time.Duration(minute%2)*time.Second
		s.page(sources.KubeAPIServer, "a").set(body(started, fmt.Sprintf(`requests_total{verb="GET"} %d`, 50+minute)))
		s.collect()
	}
	reading := s.read(3 * time.Minute)
	if got := increase(t, reading, "GET"); got != 3 || len(reading.Instances) != 1 {
		t.Errorf("%v requests of %q", got, names(reading))
	}
}

// A target that makes up start times can not take memory without bound.
func TestTooManyStartTimes(t *testing.T) {
	s := newScript(t, func(c *Config) { c.History = 10 * time.Hour }, requests)
	for n := range maxProcesses + 1 {
		s.page(sources.KubeAPIServer, "a").set(body(time.Hour+time.Duration(n)*time.Minute, `requests_total{verb="GET"} 1`))
		s.collect()
	}
	if held := len(s.source.store.targets[targetID{sources.KubeAPIServer, "a"}]); held != maxProcesses {
		t.Errorf("%d processes held", held)
	}
	if problem := s.source.status[targetID{sources.KubeAPIServer, "a"}].problem; !strings.Contains(problem, "start times at one address") {
		t.Errorf("problem %q", problem)
	}
}

// What can not be read of a family is said with the signal.
func TestWarningsOfASignal(t *testing.T) {
	latency := sources.Signal{Name: "latency", Component: sources.KubeAPIServer, Kind: sources.Histogram, Metrics: []string{"latency"}}
	s := newScript(t, func(c *Config) { c.Limits.LabelBytes = 10 }, requests, latency)
	native := "# TYPE latency histogram\nlatency_bucket{le=\"+Inf\"} 3\nlatency_sum 1\nlatency_count 3"
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		s.page(sources.KubeAPIServer, name).set(body(time.Hour, native, `requests_total{verb="GETGETGETGET"} 1`))
	}
	s.collect()
	reading := s.read(5 * time.Minute)
	wantWarning(t, reading.Results["latency"].Warnings, "SeriesInvalid: ", "latency has no classic buckets", "(a, b, c and 2 more)")
	wantWarning(t, reading.Results["requests"].Warnings, "labels of more than 10 bytes")
	if got := reading.Results["latency"]; got.Series != nil || got.Metrics != nil {
		t.Errorf("a native histogram gave %+v", got)
	}
}

// Splitting by instance and adding up is the total, whatever the order of lines.
func TestInstancesAddUpToTheTotal(t *testing.T) {
	each := requests
	each.Name, each.PerInstance = "each", true
	s := newScript(t, nil, requests, each)
	for minute := range 6 {
		for n := range 4 {
			lines := []string{
				fmt.Sprintf(`requests_total{verb="GET",code="200"} %d`, minute*(n+1)),
				fmt.Sprintf(`requests_total{verb="GET",code="500"} %d`, minute*minute),
				fmt.Sprintf(`requests_total{verb="LIST"} %d`, 7*minute),
			}
			if (minute+n)%2 == 0 {
				slices.Reverse(lines)
			}
			s.page(sources.KubeAPIServer, fmt.Sprint("host-", n)).set(body(time.Hour, lines...))
		}
		s.collect()
	}
	reading := s.read(5 * time.Minute)
	totals := map[string]float64{}
	for _, series := range reading.Results["each"].Series {
		totals[series.Values[0]] += series.Increase
	}
	if diff := cmp.Diff(map[string]float64{"GET": 5*(1+2+3+4) + 4*25, "LIST": 4 * 35}, totals); diff != "" {
		t.Error(diff)
	}
	for verb, total := range totals {
		if got := increase(t, reading, verb); got != total {
			t.Errorf("%s: %v in total, %v by instance", verb, got, total)
		}
	}
}

// Two scrapes of one time would leave open which came first: the second fails.
func TestSameTimeTwice(t *testing.T) {
	s := newScript(t, nil, requests)
	page := s.page(sources.KubeAPIServer, "a")
	page.set(body(time.Hour, `requests_total{verb="GET"} 1`))
	s.collect()
	page.set(body(-time.Minute, `requests_total{verb="GET"} 5`))
	s.source.Collect(quiet(), s.now)
	if got := increase(t, s.read(time.Minute), "GET"); got != 0 {
		t.Errorf("%v requests", got)
	}
	if problem := s.source.status[targetID{sources.KubeAPIServer, "a"}].problem; !strings.Contains(problem, "not newer") {
		t.Errorf("problem %q", problem)
	}
}
