// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"strconv"
)

// point reads [time, "value"].
func (d *decoder) point() error {
	return d.timed(func(at float64) error {
		value, err := d.quoted()
		if err != nil {
			return err
		}
		d.current.points = append(d.current.points, point{at: at, value: value})
		return nil
	})
}

// timed reads [time, and what is read by value, and ].
func (d *decoder) timed(value func(at float64) error) error {
	if err := d.expect('['); err != nil {
		return err
	}
	at, err := d.number()
	if err != nil {
		return err
	}
	if err := d.expect(','); err != nil {
		return err
	}
	if err := value(at); err != nil {
		return err
	}
	return d.expect(']')
}

// quoted reads a number in quotes.
func (d *decoder) quoted() (float64, error) {
	text, err := d.string()
	if err != nil {
		return 0, err
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("the value %q is not a number", text)
	}
	return value, nil
}
