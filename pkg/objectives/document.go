// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// document is a file as it is written: what is nil was not given.
type document struct {
	*decoder
	apiVersion, kind *string
	profiles         []string
	signals          []signalEntry
	objectives       []objectiveEntry
}

type signalEntry struct {
	path                  *field.Path
	name, component, kind *string
	metrics, labels       []string
	match                 map[string][]string
	bucketSeconds         []float64
	everywhere            *bool
	recordedRate          *string
	recordedWindow        *time.Duration
}

type objectiveEntry struct {
	path                                *field.Path
	name, profile, description          *string
	official, informational, evenShares *bool
	disabled                            *bool
	kind, signal, events, scope         *string
	verbs, key                          []string
	exclude                             []map[string]string
	percentile                          *int64
	threshold                           *time.Duration
	good, bad                           map[string][]string
	goodRatio                           *int64
	minimumRequests, goodMinutesPercent *int64
}

// decode a file that is called so in errors.
func decode(file string, data []byte) *document {
	d := &document{decoder: &decoder{file: file, lines: map[string]int{}}}
	root := d.root(data)
	if root == nil {
		return d
	}
	d.mapping(nil, root, fields{
		"apiVersion": d.text(&d.apiVersion),
		"kind":       d.text(&d.kind),
		"profiles":   d.list(&d.profiles),
		"signals": func(path *field.Path, node *yaml.Node) {
			d.each(path, node, d.signal)
		},
		"objectives": func(path *field.Path, node *yaml.Node) {
			d.each(path, node, d.objective)
		},
	})
	if root.Kind == yaml.MappingNode {
		d.checkVersion("apiVersion", d.apiVersion, APIVersion)
		d.checkVersion("kind", d.kind, Kind)
	}
	return d
}

func (d *document) checkVersion(name string, got *string, want string) {
	if got == nil || *got != want {
		d.fail(max(1, d.lines[name]), fmt.Sprintf("%s: must be %s", name, want))
	}
}

func (d *document) signal(path *field.Path, node *yaml.Node) {
	e := signalEntry{path: path}
	d.mapping(path, node, fields{
		"name":          d.text(&e.name),
		"component":     d.text(&e.component),
		"type":          d.text(&e.kind),
		"metrics":       d.list(&e.metrics),
		"labels":        d.list(&e.labels),
		"match":         d.labelValues(&e.match),
		"bucketSeconds": d.numbers(&e.bucketSeconds),
		"everywhere":    d.boolean(&e.everywhere),

		"recordedRate":   d.text(&e.recordedRate),
		"recordedWindow": d.duration(&e.recordedWindow),
	})
	d.signals = append(d.signals, e)
}

func (d *document) objective(path *field.Path, node *yaml.Node) {
	e := objectiveEntry{path: path}
	d.mapping(path, node, fields{
		"name":          d.text(&e.name),
		"profile":       d.text(&e.profile),
		"description":   d.text(&e.description),
		"official":      d.boolean(&e.official),
		"informational": d.boolean(&e.informational),
		"evenShares":    d.boolean(&e.evenShares),
		"disabled":      d.boolean(&e.disabled),
		"type":          d.text(&e.kind),
		"signal":        d.text(&e.signal),
		"events":        d.text(&e.events),
		"verbs":         d.list(&e.verbs),
		"scope":         d.text(&e.scope),
		"key":           d.list(&e.key),
		"exclude": func(path *field.Path, node *yaml.Node) {
			d.each(path, node, func(path *field.Path, element *yaml.Node) {
				var labels map[string]string
				d.labels(&labels)(path, element)
				e.exclude = append(e.exclude, labels)
			})
		},
		"percentile":         d.integer(&e.percentile),
		"threshold":          d.duration(&e.threshold),
		"good":               d.labelValues(&e.good),
		"bad":                d.labelValues(&e.bad),
		"goodRatio":          d.ratio(&e.goodRatio),
		"minimumRequests":    d.integer(&e.minimumRequests),
		"goodMinutesPercent": d.integer(&e.goodMinutesPercent),
	})
	d.objectives = append(d.objectives, e)
}
