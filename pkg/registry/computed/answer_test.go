// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/runtime"
)

// encoder counts how often it is asked to encode.
type encoder struct {
	calls atomic.Int32
	bytes int
	err   error
}

func (e *encoder) encode(_ runtime.Object, w io.Writer) error {
	e.calls.Add(1)
	if e.err != nil {
		return e.err
	}
	_, err := io.WriteString(w, strings.Repeat("x", max(1, e.bytes)))
	return err
}

func (e *encoder) ask(t *testing.T, r *REST[gauge, *gauge], options *metainternalversion.ListOptions, id runtime.Identifier) (string, error) {
	t.Helper()
	list, err := r.List(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if shared, ok := list.(runtime.CacheableObject); ok {
		err = shared.CacheEncode(id, e.encode, &out)
	} else {
		err = e.encode(list, &out)
	}
	return out.String(), err
}

// One evaluation is encoded once for all who ask for the same, in the same encoding.
func TestEncodingsAreShared(t *testing.T) {
	r, provider := newGaugeREST(t, newGauge("a", "ok", "1"), newGauge("b", "bad", "1"))
	e := &encoder{}
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			if got, err := e.ask(t, r, nil, "json"); got != "x" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	readers.Wait()
	expect := func(when string, want int32) {
		t.Helper()
		if got := e.calls.Load(); got != want {
			t.Errorf("%s: encoded %d times, want %d", when, got, want)
		}
	}
	ask := func(options *metainternalversion.ListOptions, id runtime.Identifier) {
		t.Helper()
		if _, err := e.ask(t, r, options, id); err != nil {
			t.Error(err)
		}
	}
	expect("20 readers", 1)
	ask(nil, "yaml")
	expect("another encoding", 2)
	bad := &metainternalversion.ListOptions{LabelSelector: selectLabels(t, "state=bad")}
	ask(bad, "json")
	ask(bad, "json")
	expect("another selection", 3)
	ask(&metainternalversion.ListOptions{Limit: 1}, "json")
	ask(&metainternalversion.ListOptions{Limit: 1}, "json")
	expect("a page", 4)
	provider.publish(newGauge("a", "ok", "2"))
	ask(nil, "json")
	expect("another evaluation", 5)
	old := &metainternalversion.ListOptions{ResourceVersion: "100", ResourceVersionMatch: "Exact"}
	ask(old, "json")
	ask(old, "json")
	expect("an evaluation that is not the newest", 7)
}

func TestSharedEncodingsAreBounded(t *testing.T) {
	r, _ := newGaugeREST(t, newGauge("a", "ok", "1"))
	large := &encoder{bytes: sharedBytes + 1}
	for range 2 {
		if _, err := large.ask(t, r, nil, "json"); err != nil {
			t.Fatal(err)
		}
	}
	if got := large.calls.Load(); got != 2 {
		t.Errorf("what is too large to be kept was encoded %d times for 2 readers", got)
	}
	small := &encoder{}
	for range 2 {
		if _, err := small.ask(t, r, nil, "yaml"); err != nil {
			t.Fatal(err)
		}
	}
	if got := small.calls.Load(); got != 1 {
		t.Errorf("after that, a small one was encoded %d times for 2 readers", got)
	}
	for i := range 2 * sharedAnswers {
		if _, err := small.ask(t, r, &metainternalversion.ListOptions{Limit: int64(i + 1)}, "json"); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(r.memory.get(100).answers.shared); got != sharedAnswers {
		t.Errorf("%d answers are kept, want %d", got, sharedAnswers)
	}
}

// An encoder that fails or panics fails for all who wait for it, and never gives them
// half an answer.
func TestEncodingThatFails(t *testing.T) {
	r, _ := newGaugeREST(t, newGauge("a", "ok", "1"))
	broken := errors.New("broken")
	failing := &encoder{err: broken}
	for range 2 {
		if got, err := failing.ask(t, r, nil, "json"); got != "" || !errors.Is(err, broken) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	list, err := r.List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = list.(runtime.CacheableObject).CacheEncode("yaml", func(runtime.Object, io.Writer) error { panic("here") }, io.Discard)
	}()
	if got, err := (&encoder{}).ask(t, r, nil, "yaml"); got != "" || !errors.Is(err, errNotEncoded) {
		t.Errorf("after a panic: got %q, %v", got, err)
	}
}

// Answers that are not shared, such as pages of a long list, use up no room of those
// that are.
func TestOwnAnswersUseUpNothing(t *testing.T) {
	r, _ := newGaugeREST(t, newGauge("a", "ok", "1"))
	e := &encoder{bytes: sharedBytes / (2 * sharedAnswers)}
	for limit := range int64(4 * sharedAnswers) {
		if _, err := e.ask(t, r, &metainternalversion.ListOptions{Limit: limit}, "json"); err != nil {
			t.Fatal(err)
		}
	}
	before := e.calls.Load()
	for range 2 {
		if _, err := e.ask(t, r, nil, "yaml"); err != nil {
			t.Fatal(err)
		}
	}
	if got := e.calls.Load() - before; got != 1 {
		t.Errorf("a shared answer was encoded %d times, want once", got)
	}
}
