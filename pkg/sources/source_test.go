// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"testing"
	"time"
)

func TestSlack(t *testing.T) {
	for window, want := range map[time.Duration]time.Duration{
		time.Minute:     20 * time.Second, // one scrape of the embedded source, and jitter
		5 * time.Minute: 75 * time.Second, // one scrape a minute, and jitter
		time.Hour:       15 * time.Minute,
	} {
		if got := Slack(window); got != want {
			t.Errorf("slack of a window of %s is %s, want %s", window, got, want)
		}
	}
}

func TestComplete(t *testing.T) {
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	before := func(seconds int) time.Time { return at.Add(-time.Duration(seconds) * time.Second) }
	for name, test := range map[string]struct {
		instance Instance
		want     bool
	}{
		"not observed":              {Instance{}, false},
		"the window":                {Instance{Observed: true, First: before(300), Last: at}, true},
		"a little more":             {Instance{Observed: true, First: before(330), Last: before(10)}, true},
		"of another window":         {Instance{Observed: true, First: before(331), Last: before(10)}, false},
		"within slack":              {Instance{Observed: true, First: before(270), Last: before(30)}, true},
		"begins late":               {Instance{Observed: true, First: before(269), Last: at}, false},
		"ends early":                {Instance{Observed: true, First: before(300), Last: before(31)}, false},
		"since birth":               {Instance{Observed: true, First: before(40), Last: at, Started: before(40)}, true},
		"since birth, ends early":   {Instance{Observed: true, First: before(40), Last: before(31), Started: before(40)}, false},
		"lost little":               {Instance{Observed: true, First: before(300), Last: at, Lost: 30 * time.Second}, true},
		"lost much":                 {Instance{Observed: true, First: before(300), Last: at, Lost: 31 * time.Second}, false},
		"after birth":               {Instance{Observed: true, First: before(40), Last: at, Started: before(41)}, false},
		"late, and start not known": {Instance{Observed: true, First: before(40), Last: at}, false},
	} {
		if got := test.instance.Complete(at, 5*time.Minute, 30*time.Second); got != test.want {
			t.Errorf("%s: complete is %t, want %t", name, got, test.want)
		}
	}
}
