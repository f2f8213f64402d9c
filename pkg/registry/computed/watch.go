// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

const (
	// refreshInterval is how often a watcher is sent all it holds, changed or
	// not, with the bookmark if it takes any: counts move all the time and are no
	// event by themselves. kube-apiserver sends its bookmarks as often.
	refreshInterval = time.Minute
	// stallTimeout is how long one event may wait for a reader. The connection
	// itself holds a good deal more, so a reader this late is gone or hopeless.
	stallTimeout = 5 * time.Second
	// resultBuffer is the number of events that wait for the encoder: the usual
	// evaluation in one go.
	resultBuffer = 32
)

// Watch implements rest.Watcher.
//
// A version of "" or "0" and sendInitialEvents start with the objects as they
// are, the version of an evaluation that we remember starts with what changed
// since, and any other ends at once with an error event 410 Expired, as it does
// in kube-apiserver.
func (r *REST[T, P]) Watch(ctx context.Context, options *metainternalversion.ListOptions) (watch.Interface, error) {
	if options == nil {
		options = &metainternalversion.ListOptions{}
	}
	selected, err := newSelection(options)
	if err != nil {
		return nil, err
	}
	wanted, err := parseVersion(options.ResourceVersion)
	if err != nil {
		return nil, err
	}
	latest, err := r.latest(ctx)
	if err != nil {
		return nil, err
	}

	initial := wanted == 0
	if options.SendInitialEvents != nil {
		initial = *options.SendInitialEvents
	}
	var start *evaluated[T, P] // what the client holds already
	switch {
	case initial:
		if err := notOlder(wanted, latest.version); err != nil {
			return nil, err
		}
	case wanted == 0:
		start = latest
	default:
		if start = r.memory.get(wanted); start == nil {
			return ended(expired(wanted)), nil
		}
	}

	ctx, cancel := context.WithCancel(ctx)
	w := &watcher[T, P]{
		rest:      r,
		view:      newView[T, P](selected, r.kind.Changed, start),
		bookmarks: options.AllowWatchBookmarks,
		result:    make(chan watch.Event, resultBuffer),
		cancel:    cancel,
	}
	// The bookmark at the end of the initial events is due only to a client that
	// asked for the events by name, or to which the server's defaults gave them.
	go w.run(ctx, latest, options.SendInitialEvents != nil && initial)
	return w, nil
}

// watcher follows the provider on behalf of one client. It pulls: a slow client
// holds up its own watcher and nobody else.
type watcher[T any, P Object[T]] struct {
	rest      *REST[T, P]
	view      *view[T, P]
	bookmarks bool
	result    chan watch.Event
	cancel    context.CancelFunc
}

// Stop implements watch.Interface.
func (w *watcher[T, P]) Stop() { w.cancel() }

// ResultChan implements watch.Interface. It is closed when the watch has ended
// and its goroutine with it.
func (w *watcher[T, P]) ResultChan() <-chan watch.Event { return w.result }

// run sends events until the client leaves, does not keep up, or there is
// nothing more to be had. A client that does not keep up can not be told: its
// stream ends, and it resumes or lists again like after any lost connection.
func (w *watcher[T, P]) run(ctx context.Context, present *evaluated[T, P], markInitial bool) {
	defer close(w.result)
	defer w.cancel()

	refreshed := w.rest.now()
	events := w.view.advance(present, false)
	if markInitial && w.bookmarks {
		events = append(events, w.bookmark(present, true))
	} else {
		markIncomplete(events, present.version)
	}
	for w.send(ctx, events) {
		snapshot, err := w.rest.provider.Next(ctx, present.version)
		if err != nil {
			if ctx.Err() == nil {
				w.send(ctx, []watch.Event{errorEvent(w.rest.unavailable(err))})
			}
			return
		}
		present = w.rest.memory.add(snapshot)

		now := w.rest.now()
		refresh := now.Sub(refreshed) >= refreshInterval
		events = w.view.advance(present, refresh)
		markIncomplete(events, present.version)
		if refresh {
			refreshed = now
			if w.bookmarks {
				events = append(events, w.bookmark(present, false))
			}
		}
	}
}

// send reports whether all events found a reader in time.
func (w *watcher[T, P]) send(ctx context.Context, events []watch.Event) bool {
	timer := time.NewTimer(stallTimeout)
	defer timer.Stop()
	for _, event := range events {
		select {
		case w.result <- event:
			timer.Reset(stallTimeout)
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// bookmark tells the client that it has seen all there is up to the evaluation.
func (w *watcher[T, P]) bookmark(at *evaluated[T, P], initialEventsEnd bool) watch.Event {
	obj := stamped[T, P](new(T), at.version)
	if initialEventsEnd {
		obj.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	return watch.Event{Type: watch.Bookmark, Object: obj}
}

// ended is a watch that has nothing but an error to tell.
func ended(err error) watch.Interface {
	events := make(chan watch.Event, 1)
	events <- errorEvent(err)
	close(events)
	return watch.NewProxyWatcher(events)
}

func errorEvent(err error) watch.Event {
	status := apierrors.APIStatus(apierrors.NewInternalError(err))
	errors.As(err, &status)
	out := status.Status()
	return watch.Event{Type: watch.Error, Object: runtime.Object(&out)}
}
