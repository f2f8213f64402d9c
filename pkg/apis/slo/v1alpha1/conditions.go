// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types.
const (
	// ConditionMet is True when the objective holds in the window, False when it
	// does not, Unknown without traffic or data.
	ConditionMet = "Met"
	// ConditionDataComplete is True when every expected instance was read and
	// its samples cover the window. Where only a sample of the instances is expected,
	// it is False with the reason Sampled at best, and Met is that of the sample.
	ConditionDataComplete = "DataComplete"
	// ConditionLowTraffic is True when the verdict rests on few requests: when
	// every violated key, or where none is violated all keys together, had fewer
	// than spec.minimumRequests. One slow call may then break a percentile.
	ConditionLowTraffic = "LowTraffic"
	// ConditionDayComplete is True when no minute of the last 24 hours is unknown,
	// and False with the reason why some are.
	ConditionDayComplete = "DayComplete"
	// ConditionObjectivesCurrent is False when the file of objectives can not be used as
	// it is, so that those of before are in force. It is True otherwise, and absent
	// without such a file.
	ConditionObjectivesCurrent = "ObjectivesCurrent"
	// ConditionHasHeadroom is True when the level has seats to give and turned
	// nobody away in the window.
	ConditionHasHeadroom = "HasHeadroom"
	// ConditionConfigurationSound is False when the configuration of API Priority &
	// Fairness that concerns the level can not be meant as it stands: a flow schema
	// that is ignored, one that no request reaches, a mandatory object that was
	// changed. It is Unknown where there are too many rules to tell, and True
	// otherwise, also where defaults were changed on purpose.
	ConditionConfigurationSound = "ConfigurationSound"
)

// Labels on the objects.
const (
	// LabelComponent names the component whose metrics the object is made from.
	LabelComponent = GroupName + "/component"
	// LabelOfficial is "true" on the objectives of SIG Scalability.
	LabelOfficial = GroupName + "/official"
	// LabelPriorityLevelType is the type of a priority level: Limited or Exempt.
	LabelPriorityLevelType = GroupName + "/type"
	// LabelReport is the name of the SLOReport that an indicator is of. The labels
	// below are its key: those that the report does not split by are absent, and so
	// is a part that is no value of a label. The core group, and no subresource, are
	// empty values.
	LabelReport = GroupName + "/report"
	// LabelGroup is the API group of the key.
	LabelGroup = GroupName + "/group"
	// LabelResource is the resource of the key.
	LabelResource = GroupName + "/resource"
	// LabelSubresource is the subresource of the key.
	LabelSubresource = GroupName + "/subresource"
	// LabelVerb is the verb of the key, as the metrics have it.
	LabelVerb = GroupName + "/verb"
	// LabelScope is the scope of the requests: resource, namespace or cluster.
	LabelScope = GroupName + "/scope"
)
