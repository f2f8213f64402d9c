// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"errors"
	"fmt"
	"strings"
)

// series is one element of an answer. It is valid until the next one is decoded.
type series struct {
	labels []label
	points []point
	// natives are native histograms, beside the points or instead of them.
	natives []native
	// scalar says that it is a number, which is no series.
	scalar bool
}

// label of a series. An absent label is not among them.
type label struct{ name, value string }

// point is a value at a time.
type point struct {
	// at is the time in seconds since the epoch.
	at    float64
	value float64
}

// label returns the value of a label, "" when it is absent.
func (s *series) label(name string) string {
	for i := range s.labels {
		if s.labels[i].name == name {
			return s.labels[i].value
		}
	}
	return ""
}

// values of labels, "" for those that are absent.
func (s *series) values(names []string) []string {
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = s.label(name)
	}
	return values
}

// answer is what there is beside the series in a body of the query API.
type answer struct {
	status, errorType, message string
	warnings                   []string
	// loaded is how many samples the engine went through, where it says that: with the
	// parameter stats=all.
	loaded float64
}

// decode walks over a body of the Prometheus query API
// (https://prometheus.io/docs/prometheus/latest/querying/api/) and calls each with
// every series: of a vector, a matrix, or a scalar, which has no labels. It fails on more than limit series, on anything that is
// not such a body, and on errors of each; what each got before is then void.
//
// A body of status "error" is no failure to decode: the caller looks at the answer.
func decode(body string, limit int, each func(*series) error) (answer, error) {
	d := decoder{scanner: scanner{text: body}, limit: limit, each: each}
	if d.space(); d.pos < len(body) && body[d.pos] == '<' {
		return answer{}, errors.New("the answer is HTML or XML, not JSON")
	}
	err := d.object(func(key string) (err error) {
		switch key {
		case "status":
			d.answer.status, err = d.string()
		case "errorType":
			d.answer.errorType, err = d.string()
		case "error":
			d.answer.message, err = d.string()
		case "warnings":
			err = d.texts(&d.answer.warnings)
		case "isPartial":
			err = d.partial()
		case "data":
			err = d.data()
		default:
			err = d.skip() // infos among them: they tell the author of a query about style
		}
		return err
	})
	if err != nil {
		return answer{}, err
	}
	if d.space(); d.pos < len(body) {
		return answer{}, d.fail("the end")
	}
	switch d.answer.status {
	case "success":
		if !d.hasData {
			return answer{}, errors.New("the answer has no data.result")
		}
	case "error":
	default:
		return answer{}, fmt.Errorf("the answer has the status %q, not that of a Prometheus API", d.answer.status)
	}
	return d.answer, nil
}

type decoder struct {
	scanner
	answer  answer
	limit   int
	count   int
	hasData bool
	current series
	each    func(*series) error
}

func (d *decoder) texts(into *[]string) error {
	if d.null() {
		return nil
	}
	return d.array(func() error {
		text, err := d.string()
		*into = append(*into, text)
		return err
	})
}

// partial reads what a cluster of VictoriaMetrics says instead of a warning.
func (d *decoder) partial() error {
	d.space()
	if strings.HasPrefix(d.text[d.pos:], "true") {
		d.answer.warnings = append(d.answer.warnings, "the answer is partial")
	}
	return d.skip()
}

// data reads {"resultType": ..., "result": ...}. What the result is shows in its
// own shape, so that the order of the two does not matter.
func (d *decoder) data() error {
	if d.null() {
		return nil
	}
	return d.object(func(key string) error {
		if key == "stats" {
			return d.stats()
		}
		if key != "result" {
			return d.skip()
		}
		d.hasData = true
		d.space()
		start := d.pos
		if err := d.expect('['); err != nil {
			return err
		}
		scalar := false
		if d.space(); d.pos < len(d.text) {
			scalar = d.text[d.pos] != '{' && d.text[d.pos] != ']'
		}
		d.pos = start
		if scalar {
			return d.scalar()
		}
		return d.array(d.series)
	})
}

// stats reads what a query cost
// (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries).
func (d *decoder) stats() error {
	if d.null() {
		return nil
	}
	return d.object(func(key string) error {
		if key != "samples" {
			return d.skip()
		}
		if d.null() {
			return nil
		}
		return d.object(func(key string) (err error) {
			if key != "totalQueryableSamples" {
				return d.skip()
			}
			d.answer.loaded, err = d.number()
			return err
		})
	})
}

func (d *decoder) scalar() error {
	d.current = series{points: d.current.points[:0], scalar: true}
	if err := d.point(); err != nil {
		return err
	}
	return d.each(&d.current)
}

func (d *decoder) series() error {
	if d.count++; d.count > d.limit {
		return fmt.Errorf("the answer has more than %d series", d.limit)
	}
	d.current.labels, d.current.points, d.current.natives = d.current.labels[:0], d.current.points[:0], d.current.natives[:0]
	err := d.object(func(key string) error {
		switch key {
		case "metric":
			return d.object(func(name string) error {
				value, err := d.string()
				if value != "" {
					d.current.labels = append(d.current.labels, label{name: name, value: value})
				}
				return err
			})
		case "value":
			return d.point()
		case "histogram":
			return d.native()
		case "values":
			return d.array(d.point)
		case "histograms":
			return d.array(d.native)
		}
		return d.skip()
	})
	if err != nil || len(d.current.points) == 0 && len(d.current.natives) == 0 {
		return err
	}
	return d.each(&d.current)
}
