// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth of nesting in an answer. The API needs seven; the limit keeps a hostile
// body from exhausting the stack.
const maxDepth = 32

// scanner walks over a JSON text once, from left to right, and keeps nothing of
// what its caller does not ask for. The strings it returns are parts of the text
// wherever they hold no escape.
type scanner struct {
	text  string
	pos   int
	depth int
}

// errEnds says that the text is cut off.
var errEnds = errors.New("the answer ends early")

func (s *scanner) fail(want string) error {
	s.space()
	if s.pos >= len(s.text) {
		return fmt.Errorf("%w, after %d bytes", errEnds, len(s.text))
	}
	return fmt.Errorf("byte %d is %q where %s should be", s.pos, s.text[s.pos], want)
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\n', '\t', '\r':
			s.pos++
		default:
			return
		}
	}
}

// next consumes c if it comes next.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) expect(c byte) error {
	if !s.next(c) {
		return s.fail(strconv.QuoteRune(rune(c)))
	}
	return nil
}

// object calls member with each key; member has to consume the value.
func (s *scanner) object(member func(key string) error) error {
	return s.list('{', '}', func() error {
		key, err := s.string()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return member(key)
	})
}

// array calls element at each element, which it has to consume.
func (s *scanner) array(element func() error) error {
	return s.list('[', ']', element)
}

func (s *scanner) list(first, last byte, item func() error) error {
	if err := s.expect(first); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return fmt.Errorf("byte %d is nested more than %d levels deep", s.pos, maxDepth)
	}
	defer func() { s.depth-- }()
	if s.next(last) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.next(last) {
			return nil
		}
		if err := s.expect(','); err != nil {
			return err
		}
	}
}

// null consumes null if it comes next.
func (s *scanner) null() bool {
	s.space()
	if strings.HasPrefix(s.text[s.pos:], "null") {
		s.pos += len("null")
		return true
	}
	return false
}

// number reads a JSON number.
func (s *scanner) number() (float64, error) {
	s.space()
	start := s.pos
	for s.pos < len(s.text) && isNumeric(s.text[s.pos]) {
		s.pos++
	}
	v, err := strconv.ParseFloat(s.text[start:s.pos], 64)
	if err != nil {
		s.pos = start
		return 0, s.fail("a number")
	}
	return v, nil
}

func isNumeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// string reads a JSON string.
func (s *scanner) string() (string, error) {
	if !s.next('"') {
		return "", s.fail("a string")
	}
	start := s.pos
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return s.text[start : s.pos-1], nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return "", s.fail("a string without control characters")
		}
		s.pos++
	}
	return "", s.fail("the end of a string")
}

// escaped reads the rest of a string from its first escape on.
func (s *scanner) escaped(start int) (string, error) {
	text := []byte(s.text[start:s.pos])
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch {
		case c == '"':
			s.pos++
			return string(text), nil
		case c < ' ':
			return "", s.fail("a string without control characters")
		case c != '\\':
			text = append(text, c)
			s.pos++
			continue
		}
		r, err := s.escape()
		if err != nil {
			return "", err
		}
		text = utf8.AppendRune(text, r)
	}
	return "", s.fail("the end of a string")
}

// escape reads one escape, or two that make up one character.
func (s *scanner) escape() (rune, error) {
	const simple, meaning = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if s.pos+1 >= len(s.text) {
		s.pos = len(s.text)
		return 0, s.fail("an escape")
	}
	if i := strings.IndexByte(simple, s.text[s.pos+1]); i >= 0 {
		s.pos += 2
		return rune(meaning[i]), nil
	}
	r, err := s.unicode()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if before := s.pos; strings.HasPrefix(s.text[s.pos:], `\u`) {
		low, err := s.unicode()
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, nil
		}
		s.pos = before
	}
	return utf8.RuneError, nil
}

// unicode reads \uXXXX.
func (s *scanner) unicode() (rune, error) {
	const length = len(`\uXXXX`)
	if s.text[s.pos+1] != 'u' {
		return 0, s.fail(`an escape that JSON has`)
	}
	if s.pos+length > len(s.text) {
		s.pos = len(s.text)
		return 0, s.fail("an escape")
	}
	code, err := strconv.ParseUint(s.text[s.pos+2:s.pos+length], 16, 16)
	if err != nil {
		return 0, s.fail("four hexadecimal digits")
	}
	s.pos += length
	return rune(code), nil
}

// skip consumes any value.
func (s *scanner) skip() error {
	s.space()
	if s.pos >= len(s.text) {
		return s.fail("a value")
	}
	switch c := s.text[s.pos]; {
	case c == '{':
		return s.object(func(string) error { return s.skip() })
	case c == '[':
		return s.array(s.skip)
	case c == '"':
		_, err := s.string()
		return err
	case c == '-' || c >= '0' && c <= '9':
		_, err := s.number()
		return err
	}
	for _, word := range []string{"null", "true", "false"} {
		if strings.HasPrefix(s.text[s.pos:], word) {
			s.pos += len(word)
			return nil
		}
	}
	return s.fail("a value")
}
