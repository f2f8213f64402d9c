// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import "time"

// WithLongerRanges is the configuration for engines whose ranges leave out their start.
func (c Config) WithLongerRanges() Config {
	c.longer = time.Millisecond
	return c
}
