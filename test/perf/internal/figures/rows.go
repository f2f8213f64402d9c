// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"fmt"
	"runtime"
	"time"
)

// Reaches of the figures.
const (
	reachProtobuf    = 1.0 / 150
	reachText        = 1.0 / 35
	reachMemchr      = 6.0
	reachHeap        = 1.0 / 70
	reachSeriesBytes = 50.0
	reachReports     = 1.0 / 400
	reachGrowth      = 1.5
	reachQuantiles   = 1e-12
	reachFractions   = 1e-14
	// A scrape allocates for its request and its answer, whatever its size: HTTP
	// takes some dozens. Anything per series would be hundreds.
	reachAllocations = 64.0
	// What does not rise may be measured to rise by this.
	reachRise = 1.1
)

// Rows of a scrape.
func (s Scrape) Rows(body string) []Row {
	name := fmt.Sprintf("parse + store, %s, %s (%s)", s.Format, body, megabytes(s.BodyBytes))
	reach, text := reachProtobuf, "<= 1/150"
	if s.Format == Text {
		reach, text = reachText, "<= 1/35"
	}
	rows := []Row{
		atMostRow(name, millis(s.Ours), millis(s.Theirs), s.ToTheirs, reach, text),
		{Figure: "  beside a peer that drops what is not read", Ours: millis(s.Ours), Peer: millis(s.Filtered), Ratio: fraction(s.ToFiltered)},
	}
	if s.Format == Text {
		rows = append(rows, Row{"  beside memchr", millis(s.Ours), millis(s.Memchr), fmt.Sprintf("%.1fx", s.ToMemchr), "<= 6x", yes(s.ToMemchr <= reachMemchr)})
	}
	return append(rows, Row{
		Figure:  "  allocations",
		Ours:    fmt.Sprintf("%.0f (%s)", s.Allocations, megabytes(uint64(s.AllocatedBytes))),
		Reach:   "about 0",
		Reached: yes(s.Allocations <= reachAllocations),
	})
}

// Rows of what is kept.
func (k Kept) Rows() []Row {
	perExposed, perNeeded := float64(k.Ours)/float64(k.Exposed), float64(k.Ours)/float64(k.Needed)
	return []Row{
		atMostRow(fmt.Sprintf("heap, %d scrapes of %d instances", k.Scrapes, k.Instances), megabytes(k.Ours), megabytes(k.Theirs),
			float64(k.Ours)/float64(k.Theirs), reachHeap, "<= 1/70"),
		{Figure: "  beside a peer that drops what is not read", Ours: megabytes(k.Ours), Peer: megabytes(k.Filtered), Ratio: fraction(float64(k.Ours) / float64(k.Filtered))},
		{
			Figure: fmt.Sprintf("  by series exposed (%d)", k.Exposed), Ours: fmt.Sprintf("%.0f B", perExposed),
			Peer:  fmt.Sprintf("%.0f B", float64(k.Theirs)/float64(k.Exposed)),
			Reach: "<= 50 B", Reached: yes(perExposed <= reachSeriesBytes),
		},
		{
			Figure: fmt.Sprintf("  by series that is read (%d)", k.Needed), Ours: fmt.Sprintf("%.0f B", perNeeded),
			Peer: fmt.Sprintf("%.0f B", float64(k.Filtered)/float64(k.Needed)),
		},
	}
}

// Rows of an evaluation.
func (e Evaluation) Rows() []Row {
	return []Row{
		atMostRow(fmt.Sprintf("all reports, %d keys; peer: %d queries", e.Keys, e.Queries), millis(e.Ours), millis(e.Theirs), e.ToTheirs, reachReports, "<= 1/400"),
		{Figure: fmt.Sprintf("  peer: the fewest queries (%d)", e.FewQueries), Ours: millis(e.Ours), Peer: millis(e.Few), Ratio: fraction(e.ToFew)},
	}
}

// Rows of growth. The smaller size stands in the column of the peer.
func (g Growth) Rows() []Row {
	row := func(figure string, small, large, most float64, reach string) Row {
		return Row{
			Figure: fmt.Sprintf("growth: %s, %d beside %d combinations", figure, g.Large, g.Small),
			Ours:   fmt.Sprintf("%.1f ns", large), Peer: fmt.Sprintf("%.1f ns", small),
			Ratio: fmt.Sprintf("%.2fx", large/small), Reach: reach, Reached: yes(large/small <= most),
		}
	}
	return []Row{
		row("scrape by series read, protobuf", g.PerSeriesSmall[Protobuf], g.PerSeriesLarge[Protobuf], reachGrowth, "<= 1.5x"),
		row("scrape by series read, text", g.PerSeriesSmall[Text], g.PerSeriesLarge[Text], reachGrowth, "<= 1.5x"),
		row("reports by series read", g.EvaluationSmall, g.EvaluationLarge, reachRise, "not rising"),
	}
}

// Machine says where and how it was measured.
func Machine(short bool) string {
	effort := "full"
	if short {
		effort = "short: shows that it works, the figures mean little"
	}
	return fmt.Sprintf("%s %s/%s, %d processors, %s; %s. Processor time of the process, without garbage collection while measuring.",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format("2006-01-02"), effort)
}
