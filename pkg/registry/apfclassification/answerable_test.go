// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfclassification

import (
	"errors"
	"math/rand/v2"
	"testing"

	"example.io/slo-apiserver/pkg/apf/classification"
	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Whatever is valid can be answered: an error of the classifier is one of the
// server (503), after which clients ask again. The words are those that mean
// something in paths and queries.
func TestWhatIsValidIsAnswered(t *testing.T) {
	words := []string{
		"", "", "", "a", "api", "apis", "v1", "namespaces", "status", "finalize", "watch", "proxy", "log", "pods",
		"a,b", "a=b", "a?b", "a#b", "a b", `a\`, "a&watch=false", "a+b", "a;b", ":", "é",
	}
	paths := []string{"/", "//", "//a/livez", "/api", "/api/v1", "//api/v1/", "/api/v1/a", "/apis/a/v1", "/apis/a/v1/b", "/a:b", "/a;b", "/a%zz", "/a b", "/a?b", "/a#b"}
	c := classification.NewConfiguration(nil, nil)
	unread := errors.New("not read")
	valid, refused := 0, 0
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 12))
		word := func() string { return words[r.IntN(len(words))] }
		request := &slo.ClassifiedRequest{}
		if r.IntN(8) == 0 {
			request.NonResourceAttributes = &slo.ClassifiedPath{Verb: pathVerbs[r.IntN(len(pathVerbs))], Path: paths[r.IntN(len(paths))]}
		} else {
			request.ResourceAttributes = &slo.ClassifiedResource{
				Verb: resourceVerbs[r.IntN(len(resourceVerbs))], Group: word(), Version: word(), Resource: word(), Subresource: word(), Namespace: word(), Name: word(),
			}
		}
		if len(validateRequest(request, specPath)) > 0 {
			refused++
			continue
		}
		valid++
		if _, err := c.Classify(t.Context(), classification.Caller("alice", nil), request, func(string) (*slo.APFHeadroom, error) { return nil, unread }); err != nil {
			t.Errorf("seed %d: %+v %+v: %v", seed, request.ResourceAttributes, request.NonResourceAttributes, err)
		}
	}
	if valid < 2000 || refused < 2000 {
		t.Errorf("%d valid and %d refused: the property says little", valid, refused)
	}
}
