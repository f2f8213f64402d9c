// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"math"
	"strconv"
	"strings"
)

// TextContentType is what a kube-apiserver says of the text format.
const TextContentType = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"

var escape = strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\"", "\\\"")

func labelText(names, values []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name)
		b.WriteString("=\"")
		b.WriteString(escape.Replace(values[i]))
		b.WriteByte('"')
	}
	return b.String()
}

// AppendText appends the body in the text format 0.0.4, written as
// prometheus/common expfmt writes it.
func (p *Process) AppendText(dst []byte) []byte {
	for _, f := range p.families {
		if len(f.Series) == 0 {
			continue
		}
		dst = append(dst, "# HELP "...)
		dst = append(dst, f.Name...)
		dst = append(dst, ' ')
		dst = append(dst, f.Help...)
		dst = append(dst, "\n# TYPE "...)
		dst = append(dst, f.Name...)
		dst = append(dst, ' ')
		dst = append(dst, f.Kind.String()...)
		dst = append(dst, '\n')
		for _, s := range f.Series {
			dst = f.appendText(dst, s)
		}
	}
	return dst
}

func (f *Family) appendText(dst []byte, s *Series) []byte {
	switch f.Kind {
	case Histogram:
		var cumulative uint64
		for i, n := range s.Counts {
			cumulative += n
			bound := "+Inf"
			if i < len(f.Bounds) {
				bound = f.boundTexts[i]
			}
			dst = f.appendLine(dst, s, "_bucket", "le", bound, float64(cumulative))
		}
		dst = f.appendLine(dst, s, "_sum", "", "", s.Sum)
		return f.appendLine(dst, s, "_count", "", "", float64(cumulative))
	case Summary:
		for i, q := range s.Quantiles {
			dst = f.appendLine(dst, s, "", "quantile", f.boundTexts[i], q)
		}
		dst = f.appendLine(dst, s, "_sum", "", "", s.Sum)
		return f.appendLine(dst, s, "_count", "", "", float64(s.count()))
	case Counter, Gauge:
	}
	return f.appendLine(dst, s, "", "", "", s.Value)
}

func (f *Family) appendLine(dst []byte, s *Series, suffix, label, labelValue string, value float64) []byte {
	dst = append(dst, f.Name...)
	dst = append(dst, suffix...)
	if s.labelText != "" || label != "" {
		dst = append(dst, '{')
		dst = append(dst, s.labelText...)
		if label != "" {
			if s.labelText != "" {
				dst = append(dst, ',')
			}
			dst = append(dst, label...)
			dst = append(dst, "=\""...)
			dst = append(dst, labelValue...)
			dst = append(dst, '"')
		}
		dst = append(dst, '}')
	}
	dst = append(dst, ' ')
	dst = appendNumber(dst, value)
	return append(dst, '\n')
}

func appendNumber(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "+Inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-Inf"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}
