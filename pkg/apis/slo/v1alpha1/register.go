// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the API group this server is registered for with the aggregator.
const GroupName = "slo.example.io"

// SchemeGroupVersion is the only version of the group.
var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1alpha1"}

var (
	// SchemeBuilder collects the functions that add this group to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme adds the kinds of this group to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// Resource qualifies a resource name with this group.
func Resource(resource string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(resource).GroupResource()
}

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion,
		&SLOReport{}, &SLOReportList{},
		&ServiceLevelIndicator{}, &ServiceLevelIndicatorList{},
		&APFHeadroom{}, &APFHeadroomList{},
		&APFSimulation{},
		&APFClassification{}, &SelfAPFClassification{},
	)
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
