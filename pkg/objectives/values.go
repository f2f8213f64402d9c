// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// value is how a field is decoded into a variable of the caller.
type value = func(path *field.Path, node *yaml.Node)

// scalar decodes a value by its text. Quotes do not matter: what is meant is known
// from the field, and not from what the text looks like.
func scalar[T any](d *decoder, into **T, name string, parse func(text string) (T, error)) value {
	return func(path *field.Path, node *yaml.Node) {
		if !d.is(path, node, yaml.ScalarNode, name) {
			return
		}
		parsed, err := parse(node.Value)
		if err != nil {
			d.fail(node.Line, fmt.Sprintf("%s: %q must be %s", path, node.Value, name))
			return
		}
		*into = &parsed
	}
}

func (d *decoder) text(into **string) value {
	return scalar(d, into, "a text", func(text string) (string, error) { return text, nil })
}

func (d *decoder) integer(into **int64) value {
	return scalar(d, into, "a whole number", func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) })
}

func (d *decoder) boolean(into **bool) value {
	return scalar(d, into, "true or false", func(text string) (bool, error) {
		if text != "true" && text != "false" { // nor yes, on or 1
			return false, strconv.ErrSyntax
		}
		return text == "true", nil
	})
}

func (d *decoder) duration(into **time.Duration) value {
	return scalar(d, into, "a duration with its unit, such as 1s or 250ms", time.ParseDuration)
}

// ratio is decoded to millionths.
func (d *decoder) ratio(into **int64) value {
	return scalar(d, into, `a decimal from 0 to 1 with up to six digits, such as "0.999"`, parseRatio)
}

// parseRatio takes decimals only: no exponents, no percentages.
func parseRatio(text string) (int64, error) {
	whole, digits, _ := strings.Cut(text, ".")
	if whole != "0" && whole != "1" || len(digits) > 6 {
		return 0, strconv.ErrSyntax
	}
	millionths, err := strconv.ParseUint(whole+digits+strings.Repeat("0", 6-len(digits)), 10, 32)
	if err != nil || millionths > RatioOne {
		return 0, strconv.ErrSyntax
	}
	return int64(millionths), nil
}

// list decodes a list of texts.
func (d *decoder) list(into *[]string) value {
	return func(path *field.Path, node *yaml.Node) {
		list := []string{}
		d.each(path, node, func(path *field.Path, element *yaml.Node) {
			var one *string
			if d.text(&one)(path, element); one != nil {
				list = append(list, *one)
			}
		})
		*into = list
	}
}

// numbers decodes a list of numbers.
func (d *decoder) numbers(into *[]float64) value {
	return func(path *field.Path, node *yaml.Node) {
		d.each(path, node, func(path *field.Path, element *yaml.Node) {
			var one *float64
			scalar(d, &one, "a number", parseNumber)(path, element)
			if one != nil {
				*into = append(*into, *one)
			}
		})
	}
}

func parseNumber(text string) (float64, error) {
	number, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsNaN(number) || math.IsInf(number, 0)) {
		err = strconv.ErrRange
	}
	return number, err
}

// labels decodes labels with a value each.
func (d *decoder) labels(into *map[string]string) value {
	return func(path *field.Path, node *yaml.Node) {
		*into = map[string]string{}
		d.anyFields(path, node, func(name string) value {
			return func(path *field.Path, node *yaml.Node) {
				var one *string
				if d.text(&one)(path, node); one != nil {
					(*into)[name] = *one
				}
			}
		})
	}
}

// labelValues decodes labels with a list of values each.
func (d *decoder) labelValues(into *map[string][]string) value {
	return func(path *field.Path, node *yaml.Node) {
		*into = map[string][]string{}
		d.anyFields(path, node, func(name string) value {
			return func(path *field.Path, node *yaml.Node) {
				var values []string
				d.list(&values)(path, node)
				(*into)[name] = values
			}
		})
	}
}

// anyFields decodes a mapping whose names are the user's.
func (d *decoder) anyFields(path *field.Path, node *yaml.Node, of func(name string) value) {
	known := fields{}
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i].Value
			known[name] = of(name)
		}
	}
	d.mapping(path, node, known)
}
