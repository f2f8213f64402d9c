// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"errors"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/labels"
	flowcontrolinformers "k8s.io/client-go/informers/flowcontrol/v1"
	flowcontrollisters "k8s.io/client-go/listers/flowcontrol/v1"
	"k8s.io/client-go/tools/cache"
)

// FlowControl keeps the configuration of API Priority & Fairness.
type FlowControl struct {
	levels  flowcontrollisters.PriorityLevelConfigurationLister
	schemas flowcontrollisters.FlowSchemaLister
	synced  []cache.InformerSynced
}

// NewFlowControl reads through informers of flowcontrol.apiserver.k8s.io/v1,
// which the caller starts.
func NewFlowControl(informers flowcontrolinformers.Interface) *FlowControl {
	levels, schemas := informers.PriorityLevelConfigurations(), informers.FlowSchemas()
	return &FlowControl{
		levels:  levels.Lister(),
		schemas: schemas.Lister(),
		synced:  []cache.InformerSynced{levels.Informer().HasSynced, schemas.Informer().HasSynced},
	}
}

// Objects returns all priority levels and flow schemas. They belong to the
// informers' caches and may not be changed.
func (f *FlowControl) Objects() ([]*flowcontrolv1.PriorityLevelConfiguration, []*flowcontrolv1.FlowSchema, error) {
	for _, synced := range f.synced {
		if !synced() {
			return nil, nil, errors.New("prioritylevelconfigurations and flowschemas of flowcontrol.apiserver.k8s.io/v1 have not been read yet")
		}
	}
	levels, err := f.levels.List(labels.Everything())
	if err != nil {
		return nil, nil, err
	}
	schemas, err := f.schemas.List(labels.Everything())
	if err != nil {
		return nil, nil, err
	}
	return levels, schemas, nil
}
