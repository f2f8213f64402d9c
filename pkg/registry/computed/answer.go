// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	// sharedAnswers is how many different lists of one evaluation are shared.
	// Controllers and dashboards ask for the same few; who selects something else
	// gets an answer of his own.
	sharedAnswers = 16
	// sharedBytes bounds the encodings that are kept of one evaluation. A list of
	// 600 indicators has half a megabyte.
	sharedBytes = 16 << 20
)

// answer is a list that all readers of an evaluation share who ask for the same,
// with its encodings: each is made once, by the first reader.
//
// k8s.io/apiserver takes it for a list by its fields (meta.IsListType), and has it
// encode itself (runtime.CacheableObject). It does not share lists of its own: those
// of kube-apiserver are hardly ever asked for twice.
type answer[T any, P Object[T]] struct {
	metav1.TypeMeta
	metav1.ListMeta
	Items []T

	list func(metav1.ListMeta, []T) runtime.Object
	// budget of bytes of the evaluation.
	budget    *atomic.Int64
	mu        sync.Mutex
	encodings map[runtime.Identifier]*encoding
}

var _ runtime.CacheableObject = &answer[metav1.PartialObjectMetadata, *metav1.PartialObjectMetadata]{}

// encoding of an answer by one encoder.
type encoding struct {
	once sync.Once
	data []byte
	err  error
}

// errNotEncoded is what readers get whose encoding another one began and did not
// end: the encoder panicked.
var errNotEncoded = errors.New("the answer could not be encoded")

// plain is the list itself, for one encoder, which writes its type into it. The items
// are only read.
func (a *answer[T, P]) plain() runtime.Object { return a.list(a.ListMeta, a.Items) }

// DeepCopyObject implements runtime.Object.
func (a *answer[T, P]) DeepCopyObject() runtime.Object { return a.plain().DeepCopyObject() }

// GetObject implements runtime.CacheableObject.
func (a *answer[T, P]) GetObject() runtime.Object { return a.DeepCopyObject() }

// CacheEncode implements runtime.CacheableObject.
func (a *answer[T, P]) CacheEncode(id runtime.Identifier, encode func(runtime.Object, io.Writer) error, w io.Writer) error {
	e := a.encoding(id)
	e.once.Do(func() {
		e.err = errNotEncoded
		var out bytes.Buffer
		if e.err = encode(a.plain(), &out); e.err != nil {
			return
		}
		e.data = out.Bytes()
		if a.budget.Add(-int64(cap(e.data))) < 0 {
			a.budget.Add(int64(cap(e.data)))
			a.forget(id) // those who wait for it share it all the same
		}
	})
	if e.err != nil {
		return e.err
	}
	_, err := w.Write(e.data)
	return err
}

func (a *answer[T, P]) encoding(id runtime.Identifier) *encoding {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.encodings[id]
	if e == nil {
		e = &encoding{}
		if a.encodings == nil {
			a.encodings = map[runtime.Identifier]*encoding{}
		}
		a.encodings[id] = e
	}
	return e
}

func (a *answer[T, P]) forget(id runtime.Identifier) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.encodings, id)
}

// answers of one evaluation, by what is asked for.
type answers[T any, P Object[T]] struct {
	mu      sync.Mutex
	dropped bool
	shared  map[question]*answer[T, P]
	budget  atomic.Int64
}

// question is what a list is about, apart from the evaluation.
type question struct {
	labels, fields, start string
	limit                 int64
}

// get returns the shared answer to a question, or makes it. An answer that is not
// shared any more, or of which there are too many, is the caller's own.
func (s *answers[T, P]) get(q question, answerTo func() *answer[T, P]) *answer[T, P] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.shared[q]; a != nil {
		return a
	}
	a := answerTo()
	if s.dropped || len(s.shared) == sharedAnswers {
		a.budget = &atomic.Int64{} // it goes with its reader, and uses up nothing of the others'
		return a
	}
	a.budget = &s.budget
	if s.shared == nil {
		s.shared = map[question]*answer[T, P]{}
		s.budget.Store(sharedBytes)
	}
	s.shared[q] = a
	return a
}

// drop the answers: the evaluation is not the newest any more.
func (s *answers[T, P]) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped, s.shared = true, nil
}
