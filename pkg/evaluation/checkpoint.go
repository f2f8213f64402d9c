// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/klog/v2"
)

// checkpointInterval is what a crash costs at most, in minutes that are unknown
// then. A checkpoint of a busy cluster is some 300 KB.
const checkpointInterval = 5 * time.Minute

// restore reads the last checkpoint.
func (e *Evaluator) restore(directory string) error {
	state, err := openState(directory)
	if err != nil {
		return fmt.Errorf("state directory %s: %w", directory, err)
	}
	e.state = state
	data, err := state.read()
	if err != nil {
		return fmt.Errorf("state directory %s: %w", directory, err)
	}
	if data == nil {
		e.restored.note = "there was no checkpoint"
		return nil
	}
	e.restored.note, e.restored.found = "read back", true
	e.restored.startedOver, e.restored.problem = e.days.ledger.Restore(data)
	if e.restored.problem != nil {
		e.restored.aside, e.restored.asideErr = state.setAside(e.Clock.Now())
	}
	return nil
}

// restored is what became of the last checkpoint.
type restored struct {
	note string
	// found says that there was one, whether or not it could be used.
	found       bool
	startedOver []string
	problem     error
	aside       string
	asideErr    error
}

// message says what became of a checkpoint that can not be used, and what to do.
func (r restored) message() string {
	if r.asideErr != nil {
		return fmt.Sprintf("the checkpoint of the days can not be used (%v), nor be set aside (%v): the next one replaces it", r.problem, r.asideErr)
	}
	return fmt.Sprintf("the checkpoint of the days can not be used (%v) and was set aside as %s: keep it to find out why, or delete it; it is not read again", r.problem, r.aside)
}

func (r restored) hasStartedOver(objective string) bool {
	return slices.Contains(r.startedOver, objective)
}

// logRestored logs, once, what became of the last checkpoint.
func (e *Evaluator) logRestored(ctx context.Context) {
	logger := klog.FromContext(ctx)
	r := e.restored
	switch {
	case e.state == nil:
		logger.Info("Days are kept in memory only: after a restart they start as unknown")
	case r.problem != nil && r.asideErr != nil:
		logger.Error(r.problem, "The checkpoint of the ledger can not be used, the days start as unknown; nor can it be set aside, it will be replaced", "because", r.asideErr)
	case r.problem != nil:
		logger.Error(r.problem, "The checkpoint of the ledger can not be used, the days start as unknown; it was set aside", "file", r.aside)
	default:
		logger.Info("Checkpoint of the ledger", "outcome", r.note, "keys", e.keys(), "startedOver", r.startedOver)
	}
}

func (e *Evaluator) keys() int {
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	return e.days.ledger.Keys()
}

// checkpoint writes the ledger, and says whether it is safe. A failure is logged
// when it begins and when it is over: the days in memory are all right.
func (e *Evaluator) checkpoint(ctx context.Context) bool {
	if e.state == nil {
		return true
	}
	e.days.mu.Lock()
	data := e.days.ledger.Encode()
	e.days.mu.Unlock()
	logger := klog.FromContext(ctx)
	if err := e.state.write(data); err != nil {
		e.metrics.checkpoints.WithLabelValues("error").Inc()
		if !e.checkpointFails {
			logger.Error(err, "The ledger was not saved; it is tried again every minute")
		}
		e.checkpointFails = true
		return false
	}
	e.metrics.checkpoints.WithLabelValues("ok").Inc()
	if e.checkpointFails {
		logger.Info("The ledger is saved again")
	}
	e.checkpointFails = false
	return true
}
