// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The encoding of a ledger. Integers are big-endian, text is preceded by its length
// in a byte, slots are pairs of words: met, failed.
//
//	"slo-ledger" version:4 newest:8 books:4
//	    { name fingerprint:8 slots keys:4 { group resource subresource verb slots } }
//	    in version 2: rings:4 { name newest:8 4320 of { totalAndOne:4 bad:4 } }
//	SHA-256 of all before
//
// Without the events of a Ratio it is of version 1, which older servers read.
const (
	ledgerMagic      = "slo-ledger"
	ledgerVersion    = 1
	ledgerWithEvents = 2
)

// MaximumLedgerBytes is more than any encoded ledger has, which is 21.4 MB at most:
// maximumKeys rows of four names of 254 bytes and 368 bytes of slots take 13.8 MB, and
// the rings of 213 objectives, which is what a file and all profiles make, with 34,560
// bytes each, 7.4 MB. It was 16 MiB while there were no rings.
const MaximumLedgerBytes = 24 << 20

// maximumBooks is more objectives than anybody has.
const maximumBooks = 1000

// Encode the ledger. Restore reads it.
func (l *Ledger) Encode() []byte {
	data := make([]byte, 0, 1024+len(l.books)*512+l.Keys()*448)
	data = append(data, ledgerMagic...)
	version := l.version()
	data = binary.BigEndian.AppendUint32(data, version)
	data = binary.BigEndian.AppendUint64(data, uint64(l.newest))
	data = binary.BigEndian.AppendUint32(data, uint32(len(l.books)))
	for i := range l.books {
		b := &l.books[i]
		data = appendText(data, b.objective.Name)
		data = binary.BigEndian.AppendUint64(data, b.objective.fingerprint())
		data = b.slots.append(data)
		data = binary.BigEndian.AppendUint32(data, uint32(len(b.rows)))
		for j := range b.rows {
			k := b.names.key(b.rows[j].key)
			for _, name := range []string{k.Group, k.Resource, k.Subresource, k.Verb} {
				data = appendText(data, name)
			}
			data = b.rows[j].slots.append(data)
		}
	}
	if version == ledgerWithEvents {
		data = l.appendEvents(data)
	}
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

func appendText(data []byte, text string) []byte {
	return append(append(data, byte(len(text))), text...)
}

func (s *slots) append(data []byte) []byte {
	for i := range words {
		met, failed := s.word(i)
		data = binary.BigEndian.AppendUint64(data, met)
		data = binary.BigEndian.AppendUint64(data, failed)
	}
	return data
}

// Restore replaces what the ledger knows by what was encoded. Objectives that are
// not in the ledger are left out. Those that were encoded with another definition
// start over, and are returned by name: their minutes do not compare. With an
// error the ledger is as it was before.
func (l *Ledger) Restore(data []byte) (startedOver []string, err error) {
	version, body, err := ledgerBody(data)
	if err != nil {
		return nil, err
	}
	d := &ledgerDecoder{rest: body}
	restored := &Ledger{limit: l.limit, newest: int64(d.uint64())}
	books := d.uint32()
	if books > maximumBooks {
		return nil, fmt.Errorf("%d objectives", books)
	}
	for range books {
		name, fingerprint, decoded := d.book(restored.limit - restored.Keys())
		if d.err != nil {
			return nil, d.err
		}
		if restored.book(name) != nil {
			return nil, fmt.Errorf("two objectives are called %q", name)
		}
		decoded.objective = Objective{Name: name}
		if b := l.book(name); b != nil {
			decoded.objective = b.objective
			if b.objective.fingerprint() != fingerprint {
				decoded = book{objective: b.objective}
				startedOver = append(startedOver, name)
			}
		}
		restored.books = append(restored.books, decoded)
	}
	if version == ledgerWithEvents {
		d.events(restored, startedOver)
	}
	switch {
	case d.err != nil:
		return nil, d.err
	case len(d.rest) > 0:
		return nil, fmt.Errorf("%d bytes too many", len(d.rest))
	}
	l.take(restored)
	return startedOver, nil
}

// take over what another ledger knows of the same objectives.
func (l *Ledger) take(other *Ledger) {
	l.newest = other.newest
	for i := range l.books {
		known := book{objective: l.books[i].objective}
		if b := other.book(known.objective.Name); b != nil {
			known.slots, known.rows, known.names, known.events = b.slots, b.rows, b.names, b.events
		}
		l.books[i] = known
	}
}

// ledgerBody is the version and what follows it, once the checksum has been found
// right.
func ledgerBody(data []byte) (version uint32, body []byte, err error) {
	header := len(ledgerMagic) + 4
	switch {
	case len(data) > MaximumLedgerBytes:
		return 0, nil, fmt.Errorf("more than %d bytes", MaximumLedgerBytes)
	case !bytes.HasPrefix(data, []byte(ledgerMagic)):
		return 0, nil, errors.New("not a ledger")
	case len(data) < header+sha256.Size:
		return 0, nil, errors.New("cut short")
	}
	version = binary.BigEndian.Uint32(data[len(ledgerMagic):])
	if version != ledgerVersion && version != ledgerWithEvents {
		return 0, nil, fmt.Errorf("version %d; this server reads version %d and %d", version, ledgerVersion, ledgerWithEvents)
	}
	end := len(data) - sha256.Size
	if sha256.Sum256(data[:end]) != [sha256.Size]byte(data[end:]) {
		return 0, nil, errors.New("the checksum is wrong")
	}
	return version, data[header:end], nil
}

// ledgerDecoder reads the body. After its first error everything is zero.
type ledgerDecoder struct {
	rest []byte
	err  error
}

func (d *ledgerDecoder) bytes(n int) []byte {
	if d.err == nil && n > len(d.rest) {
		d.err = errors.New("cut short")
	}
	if d.err != nil {
		return make([]byte, n) // n is small: a length is never believed
	}
	read := d.rest[:n]
	d.rest = d.rest[n:]
	return read
}

func (d *ledgerDecoder) uint32() uint32 { return binary.BigEndian.Uint32(d.bytes(4)) }
func (d *ledgerDecoder) uint64() uint64 { return binary.BigEndian.Uint64(d.bytes(8)) }

func (d *ledgerDecoder) text() string {
	n := int(d.bytes(1)[0])
	if n > longestName && d.err == nil {
		d.err = fmt.Errorf("a name of %d bytes", n)
	}
	return string(d.bytes(n))
}

func (d *ledgerDecoder) slots() (s slots) {
	for i := range words {
		met, failed := d.uint64(), d.uint64()
		if i == fullWords {
			met, failed = met&math.MaxUint32, failed&math.MaxUint32
		}
		s.add(i, met, failed)
	}
	return s
}

// book with at most so many keys, sorted and each there once.
func (d *ledgerDecoder) book(limit int) (name string, fingerprint uint64, b book) {
	name, fingerprint, b.slots = d.text(), d.uint64(), d.slots()
	n := d.uint32()
	// Before anything is made of that size: it fits, and there is room for it.
	if least := uint32(4 + 16*words); d.err == nil && (int64(n) > int64(limit) || n > uint32(len(d.rest))/least) {
		d.err = fmt.Errorf("objective %q: %d keys do not fit", name, n)
	}
	if d.err != nil {
		return name, fingerprint, b
	}
	b.rows = make([]row, 0, n)
	intern := b.names.interner()
	var last Key
	for i := range n {
		k := Key{d.text(), d.text(), d.text(), d.text()}
		if i > 0 && d.err == nil && last.Compare(k) >= 0 {
			d.err = fmt.Errorf("objective %q: key %v follows %v", name, k, last)
		}
		last = k
		b.rows = append(b.rows, row{intern(k), d.slots()})
		if d.err != nil {
			break
		}
	}
	return name, fingerprint, b
}
