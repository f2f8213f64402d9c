// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"example.io/slo-apiserver/pkg/sources"
)

// steady is a target that exposes the same series each time, of which some change.
type steady struct {
	r        *rand.Rand
	families []*dto.MetricFamily
}

func newSteady() *steady {
	s := &steady{r: rand.New(rand.NewPCG(8, 8))}
	for name, typ := range map[string]dto.MetricType{
		"c": dto.MetricType_COUNTER, "g": dto.MetricType_GAUGE, "h": dto.MetricType_HISTOGRAM, "other": dto.MetricType_COUNTER,
	} {
		f := &dto.MetricFamily{Name: &name, Help: proto.String("Help."), Type: &typ}
		for i := range 200 {
			m := &dto.Metric{Label: []*dto.LabelPair{{Name: proto.String("n"), Value: proto.String(fmt.Sprint(i))}}}
			switch typ {
			case dto.MetricType_COUNTER:
				m.Counter = &dto.Counter{Value: proto.Float64(0)}
			case dto.MetricType_GAUGE:
				m.Gauge = &dto.Gauge{Value: proto.Float64(0)}
			default:
				m.Histogram = &dto.Histogram{SampleSum: proto.Float64(0), SampleCount: proto.Uint64(0)}
				for b := range 20 {
					m.Histogram.Bucket = append(m.Histogram.Bucket, &dto.Bucket{UpperBound: proto.Float64(float64(b)), CumulativeCount: proto.Uint64(0)})
				}
			}
			f.Metric = append(f.Metric, m)
		}
		s.families = append(s.families, f)
	}
	return s
}

// advance a third of the series.
func (s *steady) advance() []*dto.MetricFamily {
	for _, f := range s.families {
		for _, m := range f.Metric {
			if s.r.IntN(3) > 0 {
				continue
			}
			switch n := 1 + s.r.IntN(40); {
			case m.Counter != nil:
				*m.Counter.Value += float64(n)
			case m.Gauge != nil:
				*m.Gauge.Value = float64(n)
			default:
				for range n {
					for b := s.r.IntN(20); b < 20; b++ {
						*m.Histogram.Bucket[b].CumulativeCount++
					}
					*m.Histogram.SampleCount++
					*m.Histogram.SampleSum += s.r.Float64()
				}
			}
		}
	}
	return s.families
}

// A target that exposes what it exposed before costs no memory but that of its log,
// which has long grown to its size.
func TestSteadyScrapesAllocateNothing(t *testing.T) {
	const warmup, measured, perScrape = 90, 30, 8
	for name, format := range map[string]struct {
		decode decoder
		encode func(testing.TB, ...*dto.MetricFamily) []byte
	}{"text": {decodeText, text}, "protobuf": {decodeProto, delimited}} {
		t.Run(name, func(t *testing.T) {
			target := newSteady()
			var bodies [][]byte
			for range warmup + measured + 1 {
				bodies = append(bodies, format.encode(t, target.advance()...))
			}
			limits := testLimits
			limits.SeriesPerTarget = 1000
			store := newStore(10*time.Minute, limits.SeriesPerTarget)
			scanner, n := newScanner(testPlan(t), limits, newIdentities(), &scratches{}), 0
			reader := bytes.NewReader(nil)
			scrape := func() {
				reader.Reset(bodies[n])
				e, err := scanner.read(reader, format.decode)
				if err == nil {
					err = store.add(targetID{sources.KubeAPIServer, "a"}, noon.Add(time.Duration(n)*15*time.Second), e)
				}
				if err != nil {
					t.Fatal(err)
				}
				scanner.release()
				n++
			}
			for range warmup {
				scrape()
			}
			if got := testing.AllocsPerRun(measured, scrape); got > perScrape {
				t.Errorf("%v allocations for a scrape of 600 series", got)
			}
		})
	}
}
