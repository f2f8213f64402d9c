// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Row of the table.
type Row struct {
	Figure string
	// Ours and Peer are what was measured, Ratio the median ratio of ours to the
	// peer, all as they are printed; "" where there is none.
	Ours, Peer, Ratio string
	// Reach is what the figure has to be; "" for those that only inform.
	Reach string
	// Reached is "yes", "no", or why it is not known.
	Reached string
}

var columns = Row{"figure", "ours", "peer", "ours/peer", "reach", "reached"}

func (r Row) cells() []string {
	return []string{r.Figure, r.Ours, r.Peer, r.Ratio, r.Reach, r.Reached}
}

// Print rows as a table in Markdown, with columns that are aligned as they stand.
func Print(w io.Writer, rows []Row) error {
	all := append([]Row{columns}, rows...)
	widths := make([]int, len(columns.cells()))
	for _, row := range all {
		for i, cell := range row.cells() {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range all {
		for i, cell := range row.cells() {
			fmt.Fprintf(&b, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				b.WriteString("|" + strings.Repeat("-", width+2))
			}
			b.WriteString("|\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fraction prints a ratio below one as one of so many.
func fraction(ratio float64) string {
	switch {
	case !(ratio > 0) || math.IsInf(ratio, 0):
		return "-"
	case ratio >= 0.95:
		return fmt.Sprintf("%.1fx", ratio)
	case ratio > 0.1:
		return fmt.Sprintf("1/%.1f", 1/ratio)
	}
	return fmt.Sprintf("1/%.0f", 1/ratio)
}

func yes(reached bool) string {
	if reached {
		return "yes"
	}
	return "no"
}

// atMostRow is a row whose ratio may be at most a fraction.
func atMostRow(figure, ours, peer string, ratio, most float64, reach string) Row {
	return Row{figure, ours, peer, fraction(ratio), reach, yes(ratio <= most)}
}

func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 1:
		return fmt.Sprintf("%.2f ms", ms)
	}
	return fmt.Sprintf("%.3f ms", ms)
}

func megabytes[N int | uint64](n N) string { return fmt.Sprintf("%.2f MB", float64(n)/1e6) }
