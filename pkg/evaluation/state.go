// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"example.io/slo-apiserver/pkg/slo"
)

// stateName is the file of the ledger in the state directory.
const stateName = "ledger"

// state is the file that a ledger is kept in.
type state struct{ directory string }

// openState proves that the directory can be written, before anything is served:
// a file that can be read is no proof.
func openState(directory string) (*state, error) {
	s := &state{directory}
	info, err := os.Stat(directory)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("is not a directory")
	}
	probe, err := os.CreateTemp(directory, stateName+".probe-*")
	if err != nil {
		return nil, fmt.Errorf("can not be written: %w", err)
	}
	return s, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func (s *state) path() string { return filepath.Join(s.directory, stateName) }

// read the file: nil when there is none, and one byte more than a ledger may have
// when there is more.
func (s *state) read() ([]byte, error) {
	file, err := os.Open(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, slo.MaximumLedgerBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path(), err)
	}
	if data == nil {
		data = []byte{} // an empty file is a broken one
	}
	return data, nil
}

// setAside renames a file that can not be used, for somebody to look at.
func (s *state) setAside(now time.Time) (string, error) {
	aside := s.path() + ".corrupt-" + now.UTC().Format("20060102T150405Z")
	return aside, os.Rename(s.path(), aside)
}

// write replaces the file. After a crash at any point the old or the new one is
// there, whole: the data is on the disk before its name is, and the name before
// write returns.
func (s *state) write(data []byte) error {
	temporary := s.path() + ".tmp"
	if err := writeSynced(temporary, data); err != nil {
		_ = os.Remove(temporary) // it may not be there; the next one replaces it
		return err
	}
	if err := os.Rename(temporary, s.path()); err != nil {
		return err
	}
	directory, err := os.Open(s.directory)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

func writeSynced(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(data); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}
