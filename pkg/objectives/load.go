// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"cmp"
	_ "embed" // the catalog
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"example.io/slo-apiserver/pkg/sources"
)

// builtIn is the catalog that is built in, and builtInName its name in errors.
//
//go:embed catalog.yaml
var builtIn []byte

const builtInName = "catalog.yaml"

// BuiltIn returns the catalog that is built in, without any profile.
func BuiltIn() (*Catalog, error) {
	return load(nil)
}

// Load returns the catalog that is built in with what a file changes in it and
// adds to it. The name of the file is for errors only, which are of type Errors:
// all that there are. What is read beside the objectives is given, for signals that
// can not be read together with that.
func Load(file string, data []byte, beside ...sources.Signal) (*Catalog, error) {
	return load(decode(file, data), beside...)
}

func load(changes *document, beside ...sources.Signal) (*Catalog, error) {
	b := newBuilder()
	b.beside = beside
	if changes != nil {
		b.chooseProfiles(changes)
	}
	catalog := decode(builtInName, builtIn)
	b.signalsOf(catalog, true)
	for _, entry := range catalog.objectives {
		b.applyBuiltIn(catalog, entry)
	}
	if len(catalog.errors) > 0 {
		return nil, catalog.errors.sorted() // a defect of this build: a test sees to it
	}
	if changes != nil {
		b.signalsOf(changes, false)
		b.applyAll(changes)
		if len(changes.errors) > 0 {
			return nil, changes.errors.sorted()
		}
	}
	return b.catalog(), nil
}

// builder puts a catalog together, entry by entry.
type builder struct {
	profiles []string
	signals  []Signal
	// beside them these are read.
	beside     []sources.Signal
	objectives map[string]Objective
	// official are the objectives of SIG Scalability as they are built in.
	official map[string]Objective
}

func newBuilder() *builder {
	return &builder{objectives: map[string]Objective{}, official: map[string]Objective{}}
}

// profileNames are the profiles of the catalog that is built in.
func profileNames() []string {
	var known []string
	for _, entry := range decode(builtInName, builtIn).objectives {
		if entry.profile != nil && !slices.Contains(known, *entry.profile) {
			known = append(known, *entry.profile)
		}
	}
	slices.Sort(known)
	return known
}

func (b *builder) chooseProfiles(d *document) {
	known := profileNames()
	var errs field.ErrorList
	for i, profile := range d.profiles {
		path := field.NewPath("profiles").Index(i)
		switch {
		case !slices.Contains(known, profile):
			errs = append(errs, field.NotSupported(path, profile, known))
		case slices.Contains(b.profiles, profile):
			errs = append(errs, field.Duplicate(path, profile))
		default:
			b.profiles = append(b.profiles, profile)
		}
	}
	slices.Sort(b.profiles)
	d.report(errs)
}

// signal by its name.
func (b *builder) signal(name string) (Signal, bool) {
	i := slices.IndexFunc(b.signals, func(s Signal) bool { return s.Name == name })
	if i < 0 {
		return Signal{}, false
	}
	return b.signals[i], true
}

// objective of an entry, with what follows from its signal.
func (b *builder) objective(e objectiveEntry) Objective {
	o := e.over(b.objectives[given(e.name)])
	if s, known := b.signal(o.Signal); known && o.Type == "" {
		o.Type = s.indicator()
	}
	if o.Type == Latency && o.Percentile == 0 && e.percentile == nil {
		o.Percentile = defaultPercentile
	}
	return o
}

func (b *builder) applyBuiltIn(d *document, entry objectiveEntry) {
	o := b.objective(entry)
	o.Official = o.Official || given(entry.official)
	d.report(b.validate(entry, o))
	if entry.profile != nil && !slices.Contains(b.profiles, *entry.profile) {
		return
	}
	if o.Official && entry.profile == nil {
		b.official[o.Name] = o
	}
	b.put(o)
}

// put an objective in force. It is official as long as it is what SIG Scalability
// says: its description, and which traffic is called low, are the cluster's.
func (b *builder) put(o Objective) {
	official, known := b.official[o.Name]
	o.Official = known && o.measuresLike(official)
	b.objectives[o.Name] = o
}

func (o Objective) measuresLike(other Objective) bool {
	return o.Signal == other.Signal && o.Type == other.Type && o.Informational == other.Informational &&
		slices.Equal(o.Verbs, other.Verbs) && o.Scope == other.Scope && slices.Equal(o.Key, other.Key) &&
		len(o.Exclude) == len(other.Exclude) && o.Percentile == other.Percentile && o.Threshold == other.Threshold &&
		o.EvenShares == other.EvenShares && o.GoodMinutesPercent == other.GoodMinutesPercent
}

// mostObjectives of one file. A cluster has some tens.
const mostObjectives = 200

func (b *builder) applyAll(d *document) {
	if len(d.objectives) > mostObjectives {
		d.fail(d.lines["objectives"], fmt.Sprintf("objectives: there are %d; at most %d are taken", len(d.objectives), mostObjectives))
		return
	}
	seen := map[string]bool{}
	for _, entry := range d.objectives {
		name := given(entry.name)
		if name != "" && seen[name] {
			d.report(field.ErrorList{field.Duplicate(entry.path.Child("name"), name)})
			continue
		}
		seen[name] = true
		d.report(entry.reserved())
		if given(entry.disabled) {
			b.disable(d, entry)
			continue
		}
		_, known := b.objectives[name]
		o := b.objective(entry)
		errs := b.validate(entry, o)
		if !known && entry.signal == nil && name != "" {
			errs = append(errs.Filter(ofSignal), field.Required(entry.path.Child("signal"), fmt.Sprintf(
				"%s is not built in, and so has to be defined as a whole; those in force without this file are %s", name, b.inForce())))
		}
		if len(errs) == 0 {
			b.put(o)
		}
		d.report(errs)
	}
	if len(b.objectives) == 0 {
		d.fail(d.lines["objectives"], "objectives: all are disabled; leave one")
	}
}

// ofSignal are the errors that say that the signal is missing.
func ofSignal(err error) bool {
	fieldErr, ok := errors.AsType[*field.Error](err)
	return ok && strings.HasSuffix(fieldErr.Field, ".signal")
}

func (b *builder) disable(d *document, entry objectiveEntry) {
	name := given(entry.name)
	if _, known := b.objectives[name]; !known {
		d.report(field.ErrorList{field.Invalid(entry.path.Child("name"), name, "there is none to disable; those in force are "+b.inForce())})
		return
	}
	delete(b.objectives, name)
}

func (b *builder) inForce() string {
	return strings.Join(slices.Sorted(maps.Keys(b.objectives)), ", ")
}

// catalog of what is in force, with the signals that it reads.
func (b *builder) catalog() *Catalog {
	c := &Catalog{Profiles: b.profiles}
	read := map[string]bool{}
	for _, o := range b.objectives {
		c.Objectives = append(c.Objectives, o)
		read[o.Signal] = true
	}
	slices.SortFunc(c.Objectives, func(x, y Objective) int { return cmp.Compare(x.Name, y.Name) })
	for _, s := range b.signals {
		if read[s.Name] {
			c.Signals = append(c.Signals, s)
		}
	}
	return c
}

// given is what a field holds, or nothing.
func given[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
