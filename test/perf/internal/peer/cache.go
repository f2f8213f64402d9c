// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// cache is what prometheus/scrape keeps of a target between scrapes (scrapeCache).
type cache struct {
	scrape        uint64
	series        map[string]*entry
	dropped       map[string]*uint64
	current, last map[storage.SeriesRef]*entry
	types         map[string]model.MetricType
}

// entry is a series as the storage knows it.
type entry struct {
	ref    storage.SeriesRef
	labels labels.Labels
	scrape uint64
	known  bool
}

func newCache() cache {
	return cache{
		series:  map[string]*entry{},
		dropped: map[string]*uint64{},
		current: map[storage.SeriesRef]*entry{},
		last:    map[storage.SeriesRef]*entry{},
		types:   map[string]model.MetricType{},
	}
}

func (c *cache) get(series []byte) *entry { return c.series[string(series)] }

func (c *cache) drop(series []byte) {
	scrape := c.scrape
	c.dropped[string(series)] = &scrape
}

func (c *cache) isDropped(series []byte) bool {
	scrape := c.dropped[string(series)]
	if scrape == nil {
		return false
	}
	*scrape = c.scrape
	return true
}

func (c *cache) seen(series []byte, e *entry) {
	if !e.known {
		e.known = true
		c.series[string(series)] = e
	}
	e.scrape = c.scrape
	c.current[e.ref] = e
}

func (c *cache) metadata(family []byte, t model.MetricType) {
	if c.types[string(family)] != t {
		c.types[string(family)] = t
	}
}

// stale visits what the scrape before had and this one does not have.
func (c *cache) stale(visit func(*entry) error) error {
	for ref, e := range c.last {
		if _, there := c.current[ref]; there {
			continue
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

// done ends a scrape. After a successful one, what it did not have is forgotten.
func (c *cache) done(successful bool) {
	if successful {
		for series, e := range c.series {
			if e.scrape != c.scrape {
				delete(c.series, series)
			}
		}
		for series, scrape := range c.dropped {
			if *scrape != c.scrape {
				delete(c.dropped, series)
			}
		}
	}
	c.last, c.current = c.current, c.last
	clear(c.current)
	c.scrape++
}
