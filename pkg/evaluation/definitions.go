// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// Reasons of the condition ObjectivesCurrent.
const (
	// ReasonFileLoaded: the objectives are those of the file.
	ReasonFileLoaded = "FileLoaded"
	// ReasonFileInvalid: the file can not be used as it is, and the objectives are
	// those that it had before.
	ReasonFileInvalid = "FileInvalid"
)

// Definitions are what is evaluated and where it is read from. They are replaced as a
// whole, and not changed.
type Definitions struct {
	Source sources.Source
	// Historian has the history of the source; nil: it has none.
	Historian  sources.Historian
	Objectives []slo.Objective
	// Unread are signals of objectives that the source does not read, by name.
	Unread map[string]slo.Unread
	// File that the objectives are from; nil: those that are built in.
	File *FileState
}

// FileState tells what became of a file of objectives.
type FileState struct {
	Name string
	// Loaded is when what is in force was read.
	Loaded time.Time
	// Problem says what is wrong with the file as it is now; nil: it is in force.
	Problem error
}

func (d *Definitions) validate() error {
	switch {
	case d.Source == nil:
		return errors.New("there is no source")
	case len(d.Objectives) == 0:
		return errors.New("an evaluator needs at least one objective")
	}
	_, err := slo.NewLedger(d.Objectives)
	return err
}

// Replace puts definitions in force with the next evaluation: reports, minutes and
// days change between two evaluations, never within one. What was not taken yet is
// replaced. With an error what is in force stays so.
func (e *Evaluator) Replace(d Definitions) error {
	if err := d.validate(); err != nil {
		return err
	}
	e.replacement.Store(&d)
	return nil
}

// adopt what is to be in force for the evaluation that begins. It is called within
// the flight, as everything that uses definitions or follows from them; what goes on
// beside it, a backfill, finds out at its next step.
func (e *Evaluator) adopt(now time.Time) *Definitions {
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	next := e.replacement.Swap(nil)
	if next == nil {
		return e.days.definitions
	}
	begun, err := e.days.ledger.Adopt(next.Objectives)
	if err != nil {
		return e.days.definitions // validated before: it can not be
	}
	for _, objective := range begun {
		e.days.begun[objective] = now
	}
	if next.Source != e.days.definitions.Source {
		// The last reading lacks what the new source was made for.
		e.reading, e.readErr, e.readAgain = nil, nil, time.Time{}
	}
	if len(begun) > 0 || next.Historian != e.days.definitions.Historian {
		e.days.asked.startOver()
	}
	e.days.definitions = next
	return next
}

// objectivesCurrent is the condition of that type.
func (f *FileState) objectivesCurrent() metav1.Condition {
	if f.Problem == nil {
		return metav1.Condition{
			Type: v1alpha1.ConditionObjectivesCurrent, Status: metav1.ConditionTrue, Reason: ReasonFileLoaded,
			Message: fmt.Sprintf("the objectives are those of %s as read at %s", f.Name, f.Loaded.UTC().Format(time.RFC3339)),
		}
	}
	problem := f.Problem.Error()
	if short, ok := errors.AsType[interface {
		error
		Summary() string
	}](f.Problem); ok {
		problem = short.Summary()
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionObjectivesCurrent, Status: metav1.ConditionFalse, Reason: ReasonFileInvalid,
		Message: fmt.Sprintf("the objectives are those of %s as read at %s, since the file can not be used as it is now: %s",
			f.Name, f.Loaded.UTC().Format(time.RFC3339), problem),
	}
}
