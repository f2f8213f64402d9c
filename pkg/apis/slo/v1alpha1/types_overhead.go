// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// TotalLatency is the latency of a key as its callers see it: with the time in
// admission webhooks and in queues of API Priority & Fairness, which the indicator
// leaves out.
type TotalLatency struct {
	// The quantiles of the total latency.
	Quantiles `json:",inline"`
	// lostMilliseconds is the time that all requests of the window lost to webhooks
	// and queues, in milliseconds: the sum of their total latencies less that of the
	// indicator. It can not be split by cause: no metric of webhooks or queues has a
	// resource. Up to Kubernetes 1.26 the indicator includes queues, and this webhooks
	// only. Absent when problem says why.
	// +optional
	LostMilliseconds *int64 `json:"lostMilliseconds,omitempty"`
	// lostPerRequestMilliseconds is the mean of that, in milliseconds, rounded.
	// +optional
	LostPerRequestMilliseconds *int64 `json:"lostPerRequestMilliseconds,omitempty"`
	// problem says why the lost time is not known, or is given as zero.
	// +optional
	Problem string `json:"problem,omitempty"`
}

// Overhead is the time that callers of kube-apiservers lose and that the indicator
// leaves out, over all keys that count.
type Overhead struct {
	// lostMilliseconds is the time that the requests of the window lost to webhooks and
	// queues, in milliseconds, over the keys of which it is known.
	// +optional
	LostMilliseconds *int64 `json:"lostMilliseconds,omitempty"`
	// lostPerRequestMilliseconds is the mean of that, in milliseconds, rounded.
	// +optional
	LostPerRequestMilliseconds *int64 `json:"lostPerRequestMilliseconds,omitempty"`
	// keysOverThreshold is the number of keys that are not violated, and would be if
	// the total latency were held to the threshold.
	// +optional
	KeysOverThreshold *int64 `json:"keysOverThreshold,omitempty"`
	// problem says what is not known of the above, and why.
	// +optional
	Problem string `json:"problem,omitempty"`
	// webhooks that were called in the window, the one that took most time first: ten
	// at most. The figures are of the whole of the kube-apiservers: no metric of
	// webhooks has a resource. Validating webhooks are called at the same time, so that
	// callers lost less than the sum. Absent where the indicator is of read-only calls,
	// which no webhook sees.
	// +listType=atomic
	// +optional
	Webhooks []WebhookTime `json:"webhooks,omitempty"`
	// queues of priority levels in which requests waited, the one with most time
	// first: ten at most. The figures are of the whole of the kube-apiservers: no
	// metric of queues has a resource. Absent where the indicator includes queues.
	// +listType=atomic
	// +optional
	Queues []QueueTime `json:"queues,omitempty"`
}

// WebhookTime is what an admission webhook cost in the window.
type WebhookTime struct {
	// name of the webhook: webhooks[].name of its configuration.
	Name string `json:"name"`
	// type of the webhook: Mutating or Validating.
	Type string `json:"type"`
	// calls is the number of calls, dry runs included.
	Calls int64 `json:"calls"`
	// milliseconds is the time of all calls together.
	Milliseconds int64 `json:"milliseconds"`
	// perCallMilliseconds is the mean of that, rounded.
	PerCallMilliseconds int64 `json:"perCallMilliseconds"`
	// rejections is the number of requests that the webhook refused.
	// +optional
	Rejections *int64 `json:"rejections,omitempty"`
	// failures is the number of requests that were refused because the webhook could
	// not be called.
	// +optional
	Failures *int64 `json:"failures,omitempty"`
	// failedOpen is the number of requests that went on although the webhook could not
	// be called. Known from Kubernetes 1.24 on.
	// +optional
	FailedOpen *int64 `json:"failedOpen,omitempty"`
}

// Types of webhooks.
const (
	// WebhookMutating is of a MutatingWebhookConfiguration.
	WebhookMutating = "Mutating"
	// WebhookValidating is of a ValidatingWebhookConfiguration.
	WebhookValidating = "Validating"
)

// QueueTime is how long requests of a priority level waited in the window.
type QueueTime struct {
	// priorityLevel by its name; see its APFHeadroom.
	PriorityLevel string `json:"priorityLevel"`
	// requests that passed through a queue of the level, also without a wait.
	Requests int64 `json:"requests"`
	// milliseconds is the time that they waited, all together.
	Milliseconds int64 `json:"milliseconds"`
	// perRequestMilliseconds is the mean of that, rounded.
	PerRequestMilliseconds int64 `json:"perRequestMilliseconds"`
}

// Rejections are requests that API Priority & Fairness turned away with the
// code 429, of all of the kube-apiservers. They are in no latency: an objective can be
// met because requests were turned away.
type Rejections struct {
	// requests is the number of requests in the window.
	Requests int64 `json:"requests"`
	// byReason splits them, sorted by reason: concurrency-limit, queue-full, time-out,
	// or up to Kubernetes 1.27 cancelled.
	// +listType=map
	// +listMapKey=reason
	// +optional
	ByReason []RejectedByReason `json:"byReason,omitempty"`
}

// RejectedByReason counts the requests turned away for one reason.
type RejectedByReason struct {
	// reason as the metrics have it.
	Reason string `json:"reason"`
	// requests is the number of requests in the window.
	Requests int64 `json:"requests"`
}
