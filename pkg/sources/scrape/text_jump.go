// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"

	"example.io/slo-apiserver/pkg/sources"
)

// jump over the lines of an unwanted family, up to the next comment. That a line
// of it stands last there says that no other family without comments follows: where
// one does, the lines are read one by one.
func (d *textDecoder) jump() error {
	for {
		text := d.input.unread()
		if len(text) < blockBytes/8 {
			var err error
			if text, err = d.input.peek(blockBytes); err != nil {
				return err
			}
		}
		end, found := comment(text)
		if !found {
			end = bytes.LastIndexByte(text, '\n') + 1
		}
		if end == 0 {
			break
		}
		lines := text[:end]
		if last := lines[bytes.LastIndexByte(lines[:end-1], '\n')+1:]; !d.isUnwanted(last) {
			break
		}
		d.line += bytes.Count(lines, []byte{'\n'})
		if err := d.input.skip(end); err != nil {
			return err
		}
		if found {
			break
		}
	}
	d.unwanted = d.unwanted[:0]
	return nil
}

// comment finds the first line that begins with '#'.
func comment(text []byte) (begin int, found bool) {
	for {
		i := bytes.IndexByte(text[begin:], '#')
		if i < 0 {
			return 0, false
		}
		if begin += i; begin == 0 || text[begin-1] == '\n' {
			return begin, true
		}
		begin++
	}
}

// isUnwanted says that a line is of the family that is jumped over.
func (d *textDecoder) isUnwanted(line []byte) bool {
	rest, is := bytes.CutPrefix(line, d.unwanted)
	if !is {
		return false
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if after, has := cutPrefix(rest, suffix); has {
			rest = after
			break
		}
	}
	return len(rest) > 0 && (rest[0] == '{' || rest[0] == ' ' || rest[0] == '\t')
}

// role of a sample name within its family.
type role struct {
	family *family
	part   part
}

type part int

const (
	number part = iota
	bucketCount
	sumOfAll
	countOfAll
)

// partNames are what the text format calls the parts of a histogram.
type partNames struct{ bucket, sum, count string }

func namesOf(f *family) partNames {
	if f.kind != sources.Histogram {
		return partNames{}
	}
	return partNames{f.name + "_bucket", f.name + "_sum", f.name + "_count"}
}

// roles by sample name, as the text format spells the parts of a family.
func (p plan) roles() map[string]role {
	roles := map[string]role{}
	for _, f := range p {
		if f.kind != sources.Histogram {
			roles[f.name] = role{f, number}
			continue
		}
		names := namesOf(f)
		roles[names.bucket] = role{f, bucketCount}
		roles[names.sum] = role{f, sumOfAll}
		roles[names.count] = role{f, countOfAll}
	}
	return roles
}
