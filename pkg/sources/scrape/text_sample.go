// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// parseSample reads what follows the name in a line of the text format: labels in
// braces, the value, and maybe a timestamp, which is not used: samples are dated
// by the scrape.
func parseSample(text []byte) ([]label, float64, error) {
	var labels []label
	text = bytes.TrimLeft(text, " \t")
	if len(text) > 0 && text[0] == '{' {
		var err error
		if labels, text, err = parseLabels(text[1:]); err != nil {
			return nil, 0, err
		}
	}
	fields := bytes.Fields(text)
	if len(fields) != 1 && len(fields) != 2 {
		return nil, 0, fmt.Errorf("%d fields after the labels, not a value and maybe a timestamp", len(fields))
	}
	v, err := strconv.ParseFloat(string(fields[0]), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, 0, fmt.Errorf("value %.100q is not a number", fields[0])
	}
	if len(fields) == 2 {
		if _, err := strconv.ParseInt(string(fields[1]), 10, 64); err != nil {
			return nil, 0, fmt.Errorf("timestamp %.100q is not a number of milliseconds", fields[1])
		}
	}
	return labels, v, nil
}

// parseLabels reads labels up to the closing brace and returns what follows it.
func parseLabels(text []byte) ([]label, []byte, error) {
	var labels []label
	for {
		text = bytes.TrimLeft(text, " \t")
		if len(text) > 0 && text[0] == '}' {
			return labels, text[1:], nil
		}
		equals := bytes.IndexByte(text, '=')
		if equals < 0 {
			return nil, nil, errors.New("labels without an end")
		}
		name := bytes.TrimRight(text[:equals], " \t")
		if !isName(name) || bytes.IndexByte(name, ':') >= 0 {
			return nil, nil, fmt.Errorf("label name %.100q", name)
		}
		value, rest, err := parseQuoted(bytes.TrimLeft(text[equals+1:], " \t"))
		if err != nil {
			return nil, nil, fmt.Errorf("label %.100s: %w", name, err)
		}
		labels = append(labels, label{string(name), value})
		text = bytes.TrimLeft(rest, " \t")
		switch {
		case len(text) > 0 && text[0] == ',':
			text = text[1:]
		case len(text) > 0 && text[0] == '}':
		default:
			return nil, nil, fmt.Errorf("no comma or brace after label %.100s", name)
		}
	}
}

// isName says whether name is one of the classic names of metrics and, but for
// the colon, labels. Others are sent only to those who ask for them, which the
// scrape does not.
func isName(name []byte) bool {
	for i, c := range name {
		letter := c == '_' || c == ':' || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z')
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0
}

// parseQuoted reads a quoted label value, in which \\, \" and \n are escapes.
func parseQuoted(text []byte) (string, []byte, error) {
	if len(text) == 0 || text[0] != '"' {
		return "", nil, errors.New("the value is not quoted")
	}
	text = text[1:]
	end := bytes.IndexAny(text, `"\`)
	if end >= 0 && text[end] == '"' {
		return string(text[:end]), text[end+1:], nil
	}
	var value []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			return string(value), text[i+1:], nil
		case '\\':
			i++
			if i == len(text) {
				return "", nil, errors.New("the value has no end")
			}
			if text[i] == 'n' {
				value = append(value, '\n')
			} else {
				value = append(value, text[i])
			}
		default:
			value = append(value, c)
		}
	}
	return "", nil, errors.New("the value has no end")
}
