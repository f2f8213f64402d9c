// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"example.io/slo-apiserver/pkg/sources"
)

// scanner reads the answers of one target, one after the other. It remembers where
// each series stood in the last one, so that a target that exposes the same series
// again costs no look-up, no parsing of labels and no memory, and next to nothing where
// it has not changed. What both formats have to agree on is decided here.
type scanner struct {
	plan     plan
	limits   Limits
	ids      *identities
	pool     *scratches // shared by all scanners
	scan     uint32     // number of the scan under way, or of the last one
	places   map[*family]*places
	roles    map[string]role  // of the text format, once it was met
	passed   map[*family]bool // over in the scan under way, see scanner_replaced.go
	had      []string         // families of the last answer, while others are passed over
	wary     bool             // to pass over was wrong once, and is not done any more
	key      []byte
	trace    uint64     // of the histogram that is read
	*scratch            // during a scan, and until release
	result   exposition // refers to scratch
}

func newScanner(p plan, limits Limits, ids *identities, pool *scratches) *scanner {
	return &scanner{plan: p, limits: limits, ids: ids, pool: pool, places: map[*family]*places{}}
}

// decoder of one of the formats.
type decoder func(r io.Reader, s *scanner) error

// read an answer. The exposition is valid until release, which has to be called.
func (s *scanner) read(r io.Reader, decode decoder) (*exposition, error) {
	s.begin()
	err := decode(r, s)
	if err == nil {
		err = s.passOver()
	}
	if err != nil {
		s.places = map[*family]*places{} // may be half of what it was
		return nil, err
	}
	s.end()
	return &s.result, nil
}

func (s *scanner) begin() {
	s.scratch = s.pool.take()
	s.scan++
	families := s.result.families
	if families == nil {
		families = map[string]bool{}
	}
	clear(families)
	s.samples, s.counts = s.samples[:0], s.counts[:0]
	s.result = exposition{process: s.result.process, families: families}
}

func (s *scanner) end() {
	s.result.samples = s.samples
	remembered := 0
	for f, p := range s.places {
		if p.scan != s.scan {
			delete(s.places, f)
			continue
		}
		p.end()
		remembered += len(p.order)
	}
	// More than twice what is kept are series that nobody reads, or refuses.
	if remembered > 2*s.limits.SeriesPerTarget {
		clear(s.places)
	}
}

// release what the exposition refers to.
func (s *scanner) release() {
	if s.scratch != nil {
		s.pool.giveBack(s.scratch)
	}
	s.scratch, s.result.samples = nil, nil
}

// placesOf a family in the scan under way.
func (s *scanner) placesOf(f *family) *places {
	p := s.places[f]
	if p == nil {
		p = &places{}
		s.places[f] = p
	}
	if p.scan != s.scan {
		p.begin(s.scan)
	}
	return p
}

// warn about a family, once per text.
func (s *scanner) warn(f *family, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s.result.warnings == nil {
		s.result.warnings = map[string][]string{}
	}
	if !slices.Contains(s.result.warnings[f.name], text) {
		s.result.warnings[f.name] = append(s.result.warnings[f.name], text)
	}
}

// hasType says whether a family is of the type it is read as. Untyped passes for
// a number.
func (s *scanner) hasType(f *family, typ string) bool {
	if typ == kindName(f.kind) || (typ == "untyped" && f.kind != sources.Histogram) {
		return true
	}
	// A copy, so that typ itself need not be on the heap, warning or not.
	s.warn(f, "%s is a %s, not a %s: not read", f.name, strings.Clone(typ), kindName(f.kind))
	return false
}

// exposed says that the answer has a family.
func (s *scanner) exposed(f *family, p *places) {
	if !p.exposed {
		p.exposed = true
		s.result.families[f.name] = true
	}
}

// number adds a series of a counter or gauge. A gauge may be NaN: that is a value.
func (s *scanner) number(f *family, p *places, pl *place, v float64) error {
	s.exposed(f, p)
	if pl.bare && f.name == startTime {
		s.result.started = unixTime(v)
	}
	sm := sample{place: pl, state: known, number: v}
	if f.kind == sources.Counter && (!(v >= 0) || math.IsInf(v, 1)) {
		s.warn(f, "%s has series with the value %v: not read", f.name, v)
		sm.state, sm.number = unknown, 0
	}
	return s.add(p, pl, sm)
}

// hasClassicBuckets says whether a histogram has any: one with native buckets alone
// is passed over. An instance that has nothing else of the family does not have it.
func (s *scanner) hasClassicBuckets(f *family, buckets []bucket) bool {
	if len(buckets) > 0 && !math.IsInf(buckets[0].bound, 1) {
		return true
	}
	if slices.ContainsFunc(buckets, func(b bucket) bool { return !math.IsInf(b.bound, 1) }) {
		return true
	}
	s.warn(f, "%s has no classic buckets: its native histogram is not read", f.name)
	return false
}

// histogram adds a histogram that has classic buckets. count and sum are NaN when the
// answer does not have them; buckets may come in any order and are sorted.
func (s *scanner) histogram(f *family, p *places, pl *place, buckets []bucket, count, sum float64) error {
	s.exposed(f, p)
	byBound := func(x, y bucket) int { return cmp.Compare(x.bound, y.bound) }
	if !slices.IsSortedFunc(buckets, byBound) {
		slices.SortFunc(buckets, byBound)
	}
	if last := buckets[len(buckets)-1]; !math.IsInf(last.bound, 1) {
		buckets = append(buckets, bucket{math.Inf(1), count})
		s.buckets = buckets
	}
	sm := sample{place: pl, state: known, number: sum, trace: s.trace}
	if problem := malformed(buckets); problem != "" {
		s.warn(f, "%s has histograms %s: not read", f.name, problem)
		sm.state, sm.number = unknown, 0
	} else if pl.id != nil {
		begin := len(s.counts)
		for _, b := range buckets {
			s.counts = append(s.counts, b.count)
		}
		sm.bounds, sm.counts = p.boundsOf(buckets), s.counts[begin:len(s.counts):len(s.counts)]
	}
	return s.add(p, pl, sm)
}

func (s *scanner) add(p *places, pl *place, sm sample) error {
	if err := p.take(pl, s.scan); err != nil {
		return err
	}
	if pl.id != nil {
		s.samples = append(s.samples, sm)
	}
	return nil
}

// identify a series by its labels, which raw spells, and remember it, unless
// raw is nil.
func (s *scanner) identify(f *family, p *places, labels []label, raw []byte) (*place, error) {
	bare := len(labels) == 0
	labels = slices.DeleteFunc(labels, func(l label) bool { return l.value == "" })
	slices.SortFunc(labels, byName)
	if !f.keeps(labels) {
		return p.learn(raw, nil, bare), nil
	}
	s.key = append(s.key[:0], f.name...)
	for i, l := range labels {
		if len(l.name) > s.limits.LabelBytes || len(l.value) > s.limits.LabelBytes {
			s.warn(f, "%s has series with labels of more than %d bytes: not read", f.name, s.limits.LabelBytes)
			return p.learn(nil, nil, bare), nil
		}
		if !utf8.ValidString(l.name) || !utf8.ValidString(l.value) {
			return nil, fmt.Errorf("a label of %s is not UTF-8: %.100q=%.100q", f.name, l.name, l.value)
		}
		if i > 0 && l.name == labels[i-1].name {
			return nil, fmt.Errorf("label %q stands twice in one series of %s", l.name, f.name)
		}
		s.key = append(s.key, separator)
		s.key = append(s.key, l.name...)
		s.key = append(s.key, separator)
		s.key = append(s.key, l.value...)
	}
	return p.learn(raw, s.ids.of(s.key, f), bare), nil
}

// errTruncated is the end of an answer in the middle of something.
var errTruncated = errors.New("the answer ends in the middle")
