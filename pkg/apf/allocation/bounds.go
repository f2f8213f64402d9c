// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package allocation

import (
	"errors"
	"fmt"
	"math"
)

// Level is what a PriorityLevelConfiguration says about seats.
type Level struct {
	// Exempt levels are never throttled.
	Exempt bool
	// Shares is nominalConcurrencyShares, 0 or more.
	Shares int32
	// LendablePercent of the nominal seats, 0 to 100.
	LendablePercent int32
	// BorrowingLimitPercent of the nominal seats, 0 or more. Nil: as many seats as
	// the server has. It is always nil for an exempt level.
	BorrowingLimitPercent *int32
}

// Bounds are the limits of a level in one kube-apiserver that follow from the
// configuration alone, in seats.
type Bounds struct {
	// Nominal is the level's own part of the server's seats.
	Nominal int
	// Min is what is left of Nominal when all that is lendable is lent.
	Min int
	// Max is Nominal and all that may be borrowed. It may be out of reach: see
	// Reachable.
	Max int
}

// MaxServerLimit is the highest concurrency limit of a server that is computed
// with: up to it, products with shares are exact (2^21 * 2^31 < 2^53).
const MaxServerLimit = 1 << 21

// errNoShares: the kube-apiserver would divide by zero, and what it makes of that
// depends on the processor.
var errNoShares = errors.New("the shares of all priority levels add up to 0: the seats can not be divided")

// Configure returns the bounds of all levels, in their order. The levels have to
// be all there are: the shares of one are worth what the others leave of them.
func Configure(serverLimit int, levels []Level) ([]Bounds, error) {
	if serverLimit < 1 || serverLimit > MaxServerLimit {
		return nil, fmt.Errorf("the concurrency limit of the server is %d: it has to be from 1 to %d", serverLimit, MaxServerLimit)
	}
	// Float64, as in the kube-apiserver: the ceiling of an integer division would
	// differ where a quotient rounds to an integer.
	var sum float64
	for i, l := range levels {
		if err := l.validate(); err != nil {
			return nil, fmt.Errorf("level %d: %w", i, err)
		}
		sum += float64(l.Shares)
	}
	if sum == 0 {
		return nil, errNoShares
	}
	bounds := make([]Bounds, len(levels))
	for i, l := range levels {
		nominal := int(math.Ceil(float64(serverLimit) * float64(l.Shares) / sum))
		borrowable := serverLimit
		if l.BorrowingLimitPercent != nil {
			borrowable = percent(nominal, *l.BorrowingLimitPercent)
		}
		bounds[i] = Bounds{
			Nominal: nominal,
			Min:     nominal - percent(nominal, l.LendablePercent),
			Max:     nominal + borrowable,
		}
	}
	return bounds, nil
}

func (l Level) validate() error {
	switch {
	case l.Shares < 0:
		return fmt.Errorf("shares are %d: they may not be negative", l.Shares)
	case l.LendablePercent < 0 || l.LendablePercent > 100:
		return fmt.Errorf("lendable percent is %d: it has to be from 0 to 100", l.LendablePercent)
	case l.BorrowingLimitPercent != nil && *l.BorrowingLimitPercent < 0:
		return fmt.Errorf("borrowing limit percent is %d: it may not be negative", *l.BorrowingLimitPercent)
	case l.BorrowingLimitPercent != nil && l.Exempt:
		return errors.New("an exempt level has no borrowing limit")
	}
	return nil
}

func percent(seats int, percent int32) int {
	return int(math.Round(float64(seats) * float64(percent) / 100))
}

// First is the limit that a level starts with when it is created, before the first
// adjustment: half of what is lendable is lent.
func (b Bounds) First() int {
	return b.Nominal - (b.Nominal-b.Min)/2
}

// Server returns the concurrency limit of the server, from the bounds of a level
// without a borrowing limit. Every exempt level is one.
func (b Bounds) Server() int {
	return b.Max - b.Nominal
}

// widthFraction of its nominal seats is the most that one request of a level may
// take (apf_controller.go priorityLevelMaxSeatsPercent).
const widthFraction = 0.15

// WidestRequest is the most seats that one request of a level with queues is
// counted for; the limits that hold for all levels are lower (flowcontrol/request/
// config.go: 10 seats, 100 for a LIST). A hand of many queues makes requests narrow.
func WidestRequest(nominal int, handSize int32) int {
	return max(1, min(int(math.Ceil(float64(nominal)*widthFraction)), nominal/int(max(1, handSize))))
}
