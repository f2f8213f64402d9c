// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/storage"
)

// List implements rest.Lister. All pages of a list are of one evaluation, that of the
// first: a client that continues when that is forgotten has to begin again. There
// is no token that goes on in another evaluation, as kube-apiserver offers one: half
// of a list of figures is of no use with the other half of another time.
func (r *REST[T, P]) List(ctx context.Context, options *metainternalversion.ListOptions) (runtime.Object, error) {
	if options == nil {
		options = &metainternalversion.ListOptions{}
	}
	selected, err := newSelection(options)
	if err != nil {
		return nil, err
	}
	e, start, err := r.beginning(ctx, options)
	if err != nil {
		return nil, err
	}
	limit := max(0, options.Limit)
	answerTo := func() *answer[T, P] { return r.answer(e, selected, start, limit) }
	if selected.isByName() {
		// One or two objects, of which there are many to choose: not worth to keep.
		return answerTo().plain(), nil
	}
	a := e.answers.get(question{selected.labels.String(), selected.fields.String(), start, limit}, answerTo)
	if len(a.Items) == 0 {
		return a.plain(), nil // k8s.io/apiserver writes into lists without items
	}
	return a, nil
}

// beginning finds the evaluation that a list asks for, and the name that it starts
// from; "" is the first.
func (r *REST[T, P]) beginning(ctx context.Context, options *metainternalversion.ListOptions) (*evaluated[T, P], string, error) {
	if options.Continue == "" {
		e, err := r.evaluated(ctx, options)
		return e, "", err
	}
	if options.ResourceVersion != "" && options.ResourceVersion != "0" {
		return nil, "", apierrors.NewBadRequest("continue: no resourceVersion goes with it, since the token has one")
	}
	version, start, err := decodeContinue(options.Continue)
	if err != nil {
		return nil, "", err
	}
	if e := r.memory.get(version); e != nil {
		return e, start, nil
	}
	return nil, "", expired(version)
}

// evaluated finds the evaluation that a list without a token asks for.
func (r *REST[T, P]) evaluated(ctx context.Context, options *metainternalversion.ListOptions) (*evaluated[T, P], error) {
	wanted, err := parseVersion(options.ResourceVersion)
	if err != nil {
		return nil, err
	}
	// A version with a limit but without a match is exact, too, by the rules of
	// Kubernetes (api-concepts, "Semantics for get and list").
	paged := options.ResourceVersionMatch == "" && options.Limit > 0 && wanted != 0
	if options.ResourceVersionMatch == metav1.ResourceVersionMatchExact || paged {
		if e := r.memory.get(wanted); e != nil {
			return e, nil
		}
		return nil, expired(wanted)
	}
	latest, err := r.latest(ctx)
	if err != nil {
		return nil, err
	}
	return latest, notOlder(wanted, latest.version)
}

// answer lists what is selected from the name on, up to the limit; 0 is none.
func (r *REST[T, P]) answer(e *evaluated[T, P], selected selection, start string, limit int64) *answer[T, P] {
	a := &answer[T, P]{list: r.kind.List}
	a.ResourceVersion = formatVersion(e.version)
	rest := e.items[e.index(start):]
	if selected.isEverything() {
		a.Items = rest
		if limit > 0 && int64(len(rest)) > limit {
			a.Items = rest[:limit:limit]
			// Only lists without selectors tell how much is left (metav1.ListMeta).
			left := int64(len(rest)) - limit
			a.RemainingItemCount = &left
			a.Continue = encodeContinue(e.version, P(&a.Items[limit-1]).GetName())
		}
		return a
	}
	a.Items = []T{}
	for i := range rest {
		if !selected.matches(P(&rest[i])) {
			continue
		}
		if limit > 0 && int64(len(a.Items)) == limit {
			a.Continue = encodeContinue(e.version, P(&a.Items[limit-1]).GetName())
			break
		}
		a.Items = append(a.Items, rest[i])
	}
	return a
}

// keyPrefix is what storage puts before names in its tokens.
const keyPrefix = "/"

// encodeContinue makes the token of the page that follows the name. Tokens look like
// those of kube-apiserver, and like those are nothing to take apart.
func encodeContinue(version uint64, last string) string {
	// The version is made from milliseconds since 1970, and the prefix is there: no
	// error is left.
	token, err := storage.EncodeContinue(keyPrefix+last+"\x00", keyPrefix, int64(version))
	if err != nil {
		panic(fmt.Sprintf("token after %q: %v", last, err))
	}
	return token
}

func decodeContinue(token string) (version uint64, start string, err error) {
	key, signed, err := storage.DecodeContinue(token, keyPrefix)
	if err == nil && signed < 0 {
		err = fmt.Errorf("version %d", signed)
	}
	if err != nil {
		return 0, "", apierrors.NewBadRequest(fmt.Sprintf("continue: not a token of this server (%v); list without one", err))
	}
	return uint64(signed), strings.TrimPrefix(key, keyPrefix), nil
}
