// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"example.io/slo-apiserver/pkg/sources"
)

// native histogram at a time, in seconds since the epoch.
type native struct {
	at, count, sum float64
	// buckets that hold something, without the rule for their bounds: nobody observes
	// a bound of a float64 to the last bit.
	buckets []sources.NativeBucket
}

// native reads [time, {"count": "...", "sum": "...", "buckets": [[rule, "lower",
// "upper", "count"], ...]}]
// (https://prometheus.io/docs/prometheus/latest/querying/api/#native-histograms).
func (d *decoder) native() error {
	return d.timed(func(at float64) error {
		h := native{at: at}
		err := d.object(func(key string) (err error) {
			switch key {
			case "count":
				h.count, err = d.quoted()
			case "sum":
				h.sum, err = d.quoted()
			case "buckets":
				err = d.array(func() error { return d.nativeBucket(&h) })
			default:
				err = d.skip()
			}
			return err
		})
		d.current.natives = append(d.current.natives, h)
		return err
	})
}

func (d *decoder) nativeBucket(h *native) error {
	if err := d.expect('['); err != nil {
		return err
	}
	if _, err := d.number(); err != nil {
		return err
	}
	var one sources.NativeBucket
	for _, part := range []*float64{&one.Lower, &one.Upper, &one.Count} {
		if err := d.expect(','); err != nil {
			return err
		}
		value, err := d.quoted()
		if err != nil {
			return err
		}
		*part = value
	}
	h.buckets = append(h.buckets, one)
	return d.expect(']')
}
