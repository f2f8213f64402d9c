// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package install puts the resources of the group together for a generic API
// server.
package install

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// NewScheme returns the types that the server speaks of. There are no internal
// versions: objects are computed in the version they are served in.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := slo.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("add %s to scheme: %w", slo.SchemeGroupVersion, err)
	}
	// Options of requests and errors are of the version v1 without a group.
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	return scheme, nil
}

// NewCodecs returns the encodings of the scheme, for the configuration of the
// generic API server.
func NewCodecs(scheme *runtime.Scheme) serializer.CodecFactory {
	return serializer.NewCodecFactory(scheme)
}

// Storage serves the resources of the group.
type Storage struct {
	Reports, Indicators, Headrooms rest.Storage
	// Classifications of any user, and those of the caller.
	Classifications, SelfClassifications rest.Storage
	// Simulations of changes of priority levels.
	Simulations rest.Storage
}

// APIGroup returns the group with its resources.
func APIGroup(scheme *runtime.Scheme, storage Storage) *genericapiserver.APIGroupInfo {
	group := genericapiserver.NewDefaultAPIGroupInfo(slo.GroupName, scheme, runtime.NewParameterCodec(scheme), NewCodecs(scheme))
	group.NegotiatedSerializer = withoutProtobuf{group.NegotiatedSerializer}
	group.VersionedResourcesStorageMap[slo.SchemeGroupVersion.Version] = map[string]rest.Storage{
		"sloreports":             storage.Reports,
		"servicelevelindicators": storage.Indicators,
		"apfheadrooms":           storage.Headrooms,
		"apfclassifications":     storage.Classifications,
		"selfapfclassifications": storage.SelfClassifications,
		"apfsimulations":         storage.Simulations,
	}
	return &group
}

// withoutProtobuf keeps the server from offering an encoding that our types do
// not have. A client that prefers protobuf, as client-go does for many kinds,
// would be promised it and then get 406; so it gets its second choice.
type withoutProtobuf struct {
	runtime.NegotiatedSerializer
}

// SupportedMediaTypes implements runtime.NegotiatedSerializer.
func (s withoutProtobuf) SupportedMediaTypes() []runtime.SerializerInfo {
	var kept []runtime.SerializerInfo
	for _, info := range s.NegotiatedSerializer.SupportedMediaTypes() {
		if info.MediaType != runtime.ContentTypeProtobuf {
			kept = append(kept, info)
		}
	}
	return kept
}
