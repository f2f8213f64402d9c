// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// selection is what a list or a watch is about.
type selection struct {
	labels labels.Selector
	fields fields.Selector
}

// newSelection reads the selectors of a request. The only field is
// metadata.name: RBAC rules with resourceNames need it.
func newSelection(options *metainternalversion.ListOptions) (selection, error) {
	s := selection{labels: labels.Everything(), fields: fields.Everything()}
	if options.LabelSelector != nil {
		s.labels = options.LabelSelector
	}
	if options.FieldSelector != nil {
		s.fields = options.FieldSelector
	}
	for _, r := range s.fields.Requirements() {
		if r.Field != metav1.ObjectNameField {
			return selection{}, apierrors.NewBadRequest(fmt.Sprintf(
				"field selector %q: only %s can be selected by; use labels or select in the client", r.Field, metav1.ObjectNameField))
		}
	}
	return s, nil
}

func (s selection) matches(obj metav1.Object) bool {
	return s.labels.Matches(labels.Set(obj.GetLabels())) &&
		s.fields.Matches(fields.Set{metav1.ObjectNameField: obj.GetName()})
}

// isEverything says that nothing is left out.
func (s selection) isEverything() bool { return s.labels.Empty() && s.fields.Empty() }

// isByName says that it is about some objects only, or all but some.
func (s selection) isByName() bool { return !s.fields.Empty() }
