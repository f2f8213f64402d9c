// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/objectives"
	"example.io/slo-apiserver/pkg/slo"
)

// objectivesFile is the file by which a cluster changes objectives and adds to them.
type objectivesFile struct {
	path            string // empty: there is none
	window          time.Duration
	minimumRequests int64
	// loaded is what the file was when it was last loaded: its content, or why it can
	// not be read. Seen is what it was at the last look.
	loaded, seen [sha256.Size]byte
	// looked says that there was a look.
	looked bool
}

// load returns the definitions of the file, or those that are built in without one.
// Changed is false when the file is as it was when it was last loaded, whatever came of
// that, and while it is not yet the same at two looks in a row: whoever writes it in
// place may not have come to its end, and half a file may be a good one. The first look
// believes what it sees.
func (f *objectivesFile) load() (d slo.Definitions, changed bool, err error) {
	if f.path == "" {
		d, err = slo.DefaultDefinitions(f.window, f.minimumRequests)
		return d, true, err
	}
	// By content: in a volume of a ConfigMap the file is a link into a directory that
	// is replaced, with times of its own.
	data, readErr := readAtMost(f.path, objectives.MaximumBytes+1)
	look := sha256.Sum256(data)
	if readErr != nil {
		look = sha256.Sum256([]byte("error: " + readErr.Error()))
	}
	settled := look == f.seen || !f.looked
	f.seen, f.looked = look, true
	if changed = settled && look != f.loaded; changed {
		f.loaded = look
	}
	if readErr != nil {
		return slo.Definitions{}, changed, readErr // names the file
	}
	if !changed {
		return slo.Definitions{}, false, nil
	}
	catalog, err := objectives.Load(f.path, data, slices.Concat(slo.SignalsBeside(), apf.Signals())...)
	if err != nil {
		return slo.Definitions{}, true, err
	}
	d, err = slo.Define(catalog, f.window, f.minimumRequests)
	if err != nil {
		return slo.Definitions{}, true, fmt.Errorf("%s: %w", f.path, err)
	}
	return d, true, nil
}

// forget what was loaded: the next load takes the file for changed.
func (f *objectivesFile) forget() { f.loaded = [sha256.Size]byte{} }

// readAtMost so much of a regular file: to open a pipe waits for somebody who writes,
// for ever, and what was read from it once is gone.
func readAtMost(path string, most int64) ([]byte, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is no regular file, which can be read again when it changes", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most))
}
