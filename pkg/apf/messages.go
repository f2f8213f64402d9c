// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// maxListed bounds lists in messages.
const maxListed = 3

// rejectingMessage: "100 requests of flow schema service-accounts rejected on
// 10.0.0.2:6443 in 5m: time-out 100".
func rejectingMessage(r *row) string {
	var total int64
	schemas := map[string]bool{}
	for _, by := range r.rejectedBy {
		total += by.Requests
		schemas[by.FlowSchema] = true
	}
	of := " of flow schema " + r.rejectedBy[0].FlowSchema
	if len(schemas) > 1 {
		of = fmt.Sprintf(" of %d flow schemas", len(schemas))
	}
	items := make([]string, len(r.rejectedBy))
	for i, by := range r.rejectedBy {
		items[i] = fmt.Sprintf("%s %d", by.Reason, by.Requests)
		if len(schemas) > 1 {
			items[i] = by.FlowSchema + " " + items[i]
		}
	}
	return fmt.Sprintf("%s%s rejected on %s in %s: %s", requests(total), of, r.Instance, r.covered(), list(items))
}

// queueingMessage says who waits now, and how many waited long.
func queueingMessage(r *row) string {
	var parts []string
	if positive(r.QueuedRequests) {
		verb := "wait"
		if *r.QueuedRequests == 1 {
			verb = "waits"
		}
		part := fmt.Sprintf("%s %s on %s", requests(*r.QueuedRequests), verb, r.Instance)
		part += share(r, queuedRequests, *r.QueuedRequests, "of")
		parts = append(parts, part)
	}
	if r.manyWaitLong() {
		parts = append(parts, fmt.Sprintf("%.0f of %s waited for more than %dms on %s in %s",
			math.Max(r.longWaits, 1), requests(int64(math.Round(r.allWaits))), milliseconds(longWaitSeconds), r.Instance, r.covered()))
	}
	return strings.Join(parts, "; ")
}

// noSeatsMessage says who has the seats, and whether there are more to be had.
func noSeatsMessage(r *row) string {
	message := fmt.Sprintf("no seats left on %s: %d of %d taken", r.Instance, *r.ExecutingSeats, *r.CurrentLimitSeats)
	message += share(r, executingBySchema, *r.ExecutingSeats, "by")
	if r.NominalSeats != nil && *r.NominalSeats > *r.CurrentLimitSeats {
		message += fmt.Sprintf(", %d of %d nominal seats %s", *r.NominalSeats-*r.CurrentLimitSeats, *r.NominalSeats, takenBy(r))
	}
	switch {
	case r.ReachableHeadroomSeats == nil:
	case *r.ReachableHeadroomSeats > 0:
		message += fmt.Sprintf("; %d more within reach while other levels lend", *r.ReachableHeadroomSeats)
	default:
		message += "; no more within reach"
	}
	return message
}

// takenBy says where the nominal seats are that a level does not have: lent, unless
// exempt requests leave the levels less than that.
func takenBy(r *row) string {
	pool := &r.instance.pool
	switch {
	case r.reclaimed == nil:
		return "lent, or taken by exempt requests"
	case *r.reclaimed >= *r.NominalSeats:
		return "lent"
	}
	return fmt.Sprintf("lent, or taken by exempt requests: level %s wants %d of all %d seats", pool.foremost, pool.kept, pool.nominal)
}

// share names the flow schema with the most of a signal: ", 240 by flow schema x".
func share(r *row, signal string, of int64, preposition string) string {
	schema, n := r.instance.foremost(signal, r.level)
	switch {
	case schema == "":
		return ""
	case n == of:
		return fmt.Sprintf(", all %s flow schema %s", preposition, schema)
	default:
		return fmt.Sprintf(", %d %s flow schema %s", n, preposition, schema)
	}
}

// seatsMessage: "100 of 245 seats left on 10.0.0.1:6443, the least of 2 kube-apiservers".
func seatsMessage(rows []*row) string {
	known := 0
	for _, r := range rows {
		if r.HeadroomSeats != nil {
			known++
		}
	}
	least := tightest(rows)
	message := fmt.Sprintf("%d of %d seats left on %s", *least.HeadroomSeats, *least.CurrentLimitSeats, least.Instance)
	if known > 1 {
		message += fmt.Sprintf(", the least of %d kube-apiservers", known)
	}
	return message
}

func (s *survey) missingMessage() string {
	names := make([]string, len(s.missing))
	for i, instance := range s.missing {
		names[i] = instance.Name
		if problem := oneLine(instance.Problem); problem != "" {
			names[i] += " (" + problem + ")"
		}
	}
	return fmt.Sprintf("%d of %d kube-apiservers not read: %s", len(s.missing), len(s.missing)+len(s.observed), list(names))
}

func (s *survey) unlistedMessage() string {
	return fmt.Sprintf("the cluster has %d kube-apiservers, the source knows %d of them: add the others to what is scraped",
		len(s.observed)+s.unlisted, len(s.observed))
}

func lackingMessage(rows []*row) string {
	if len(rows[0].instance.series) == 0 {
		return fmt.Sprintf("%s shows no metrics of API Priority & Fairness%s", rows[0].Instance, alsoIncomplete(rows))
	}
	return fmt.Sprintf("%s does not show for this level: %s%s",
		rows[0].Instance, strings.Join(rows[0].missing, ", "), alsoIncomplete(rows))
}

// gapsMessage names the metrics without which some figures are absent, where those
// that the pressure needs are there.
func gapsMessage(rows []*row) string {
	var names, instances []string
	for _, r := range rows {
		if len(r.missing) > 0 || len(r.lacking) == 0 {
			continue
		}
		instances = append(instances, r.Instance)
		for _, name := range r.lacking {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	switch len(instances) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("; %s does not show: %s", instances[0], list(names))
	default:
		return fmt.Sprintf("; %d kube-apiservers do not show: %s", len(instances), list(names))
	}
}

// shortMessage speaks of the instance that covers the least of the window.
func (s *survey) shortMessage(rows []*row) string {
	r := slices.MinFunc(rows, func(a, b *row) int { return cmp.Compare(a.instance.Covered(), b.instance.Covered()) })
	if behind := s.at.Sub(r.instance.Last); behind > s.slack {
		return fmt.Sprintf("the newest sample of %s is from %s before the end of the window%s",
			r.Instance, round(behind), alsoIncomplete(rows))
	}
	if early := s.at.Add(-s.window).Sub(r.instance.First); early > s.slack {
		return fmt.Sprintf("%s was read over %s, from %s before the window%s", r.Instance, r.covered(), round(early), alsoIncomplete(rows))
	}
	if r.instance.Lost > s.slack {
		return fmt.Sprintf("up to %s before %s restarted are not known%s", round(r.instance.Lost), r.Instance, alsoIncomplete(rows))
	}
	return fmt.Sprintf("%s was read over %s of %s%s", r.Instance, r.covered(), round(s.window), alsoIncomplete(rows))
}

// alsoIncomplete counts the rows beside the one that a message names.
func alsoIncomplete(rows []*row) string {
	if len(rows) == 1 {
		return ""
	}
	return fmt.Sprintf("; %d more incomplete", len(rows)-1)
}

func (s *survey) completeMessage() string {
	if len(s.observed) == 1 {
		return "1 kube-apiserver was read over the whole window, or since its start"
	}
	return fmt.Sprintf("%d kube-apiservers were read over the whole window, or since their start", len(s.observed))
}

func list(items []string) string {
	if len(items) <= maxListed {
		return strings.Join(items, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(items[:maxListed], ", "), len(items)-maxListed)
}

func requests(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", n)
}

// maxProblem bounds what an error of a backend may add to a message, in bytes.
const maxProblem = 200

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxProblem {
		text = strings.ToValidUTF8(text[:maxProblem], "") + "..."
	}
	return text
}

func (r *row) covered() string { return round(r.instance.Covered()) }

// round to seconds, without the zero units of String: 5m, not 5m0s.
func round(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
