// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

func TestClassification(t *testing.T) {
	t.Run("every schema of the cluster", testEverySchema)
	t.Run("catch-all", testCatchAll)
	t.Run("random schemas", testRandomSchemas)
	t.Run("width", testWidth)
	t.Run("access", testReviewAccess)
	t.Run("kubectl", testReviewKubectl)
}

// A request of each flow schema: the kube-apiserver answers with the UIDs of the
// flow schema and the level that the review has named.
func testEverySchema(t *testing.T) {
	eventually(t, window, "the levels have been measured", func() error {
		headroom, err := getHeadroom(t, lab.slo, "global-default")
		if err == nil && headroom.Status.Worst == nil {
			err = errors.New(describe(headroom.Status.Conditions))
		}
		return err
	})
	list, err := lab.admin.FlowcontrolV1().FlowSchemas().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{"catch-all": false}
	for _, fs := range list.Items {
		missing[fs.Name] = fs.Name != "catch-all" // global-default takes all of its requests
	}
	const nodes = "system:nodes"
	for _, asked := range []struct {
		schema string
		request
	}{
		{"exempt", request{user: "admin", groups: []string{"system:masters"}, verb: "list", resource: "pods"}},
		{"probes", request{user: "system:anonymous", verb: "get", path: "/livez"}},
		{"system-leader-election", request{user: "system:kube-scheduler", verb: "get", group: "coordination.k8s.io", resource: "leases", namespace: "kube-system", name: "absent"}},
		{"system-node-high", request{user: "system:node:absent", groups: []string{nodes}, verb: "get", resource: "nodes", name: "absent"}},
		{"system-nodes", request{user: "system:node:absent", groups: []string{nodes}, verb: "watch", resource: "services"}},
		{"kube-controller-manager", request{user: "system:kube-controller-manager", verb: "list", resource: "pods", namespace: "default"}},
		{"kube-scheduler", request{user: "system:kube-scheduler", verb: "watch", resource: "pods"}},
		{"kube-system-service-accounts", request{user: "system:serviceaccount:kube-system:absent", verb: "list", resource: "pods"}},
		{"slo-apiserver", request{user: "system:serviceaccount:slo-system:slo-apiserver", verb: "get", path: "/metrics"}},
		{"service-accounts", request{user: "system:serviceaccount:default:absent", verb: "list", resource: "configmaps", namespace: "default"}},
		{"global-default", request{user: "alice", verb: "create", resource: "pods", namespace: "default"}},
		{"global-default", request{user: "system:anonymous", verb: "get", path: "/version"}},
		{"global-default", request{user: "alice", verb: "delete", resource: "namespaces", name: "absent"}},
	} {
		missing[asked.schema] = false
		answer := asked.ask(t)
		if err := asked.compare(t, answer); err != nil {
			t.Error(err)
		} else if answer.FlowSchema.Name != asked.schema {
			t.Errorf("%s: %s", asked, answer.Reason)
		}
		wantHeadroom(t, asked.request, answer)
	}
	for schema, isMissing := range missing {
		if isMissing {
			t.Errorf("no request of %s was tried", schema)
		}
	}
	// It is not classified: no header says anything.
	logs := request{user: "alice", verb: "get", resource: "pods", namespace: "default", name: "absent", subresource: "log"}
	if answer := logs.ask(t); answer.Treatment != v1alpha1.TreatmentLongRunning {
		t.Errorf("%s: %+v", logs, answer)
	} else if err := logs.compare(t, answer); err != nil {
		t.Error(err)
	}
}

// wantHeadroom checks that the answer has the headroom of the level: it moves, so
// only what does not is compared.
func wantHeadroom(t *testing.T, r request, answer *v1alpha1.APFClassificationStatus) {
	t.Helper()
	headroom, err := getHeadroom(t, lab.slo, answer.PriorityLevel.Name)
	if err != nil {
		t.Fatal(err)
	}
	unlimited := headroom.Spec.Type == "Exempt"
	if answer.Headroom == nil || unlimited != (answer.Headroom.HeadroomSeats == nil) || answer.Headroom.Instance == "" {
		t.Errorf("%s: headroom %+v, %s", r, answer.Headroom, answer.HeadroomProblem)
	}
	if response := headroom.Spec.LimitResponse; response != nil && response.HandSize != nil {
		if answer.Queue == nil || len(answer.Queue.Hand) != int(*response.HandSize) || answer.Queue.Queues != *response.Queues {
			t.Errorf("%s: queue %+v, want a hand of %d out of %d", r, answer.Queue, *response.HandSize, *response.Queues)
		}
	} else if answer.Queue != nil {
		t.Errorf("%s: queue %+v in level %s", r, answer.Queue, headroom.Name)
	}
}

// Only when global-default has no rule for them do requests come to catch-all.
func testCatchAll(t *testing.T) {
	const name = "global-default"
	var before *flowcontrolv1.FlowSchema
	change := func(ctx context.Context, change func(*flowcontrolv1.FlowSchema)) error {
		return retry.RetryOnConflict(retry.DefaultRetry, func() error {
			fs, err := lab.admin.FlowcontrolV1().FlowSchemas().Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if before == nil {
				before = fs.DeepCopy()
			}
			change(fs)
			_, err = lab.admin.FlowcontrolV1().FlowSchemas().Update(ctx, fs, metav1.UpdateOptions{})
			return err
		})
	}
	t.Cleanup(func() {
		err := change(context.Background(), func(fs *flowcontrolv1.FlowSchema) { fs.Annotations, fs.Spec = before.Annotations, before.Spec })
		if err != nil {
			t.Error(err)
		}
	})
	// Without the annotation the kube-apiserver takes the change back.
	err := change(t.Context(), func(fs *flowcontrolv1.FlowSchema) {
		fs.Annotations = maps.Clone(fs.Annotations)
		fs.Annotations[flowcontrolv1.AutoUpdateAnnotationKey] = "false"
		for i := range fs.Spec.Rules {
			fs.Spec.Rules[i].Subjects = []flowcontrolv1.Subject{{Kind: "User", User: &flowcontrolv1.UserSubject{Name: "e2e-nobody"}}}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := request{user: "alice", verb: "get", path: "/version"}
	eventually(t, 30*time.Second, "catch-all", func() error {
		answer := asked.ask(t)
		if answer.FlowSchema.Name != "catch-all" || answer.Treatment != v1alpha1.TreatmentReject {
			return errors.New(answer.Reason)
		}
		return asked.compare(t, answer)
	})
}

// Requests of users of the test, under random schemas for these users.
func testRandomSchemas(t *testing.T) {
	own, passedOver := 0, 0
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 8))
			prefix := fmt.Sprintf("e2e-%d-", seed)
			for i := range 10 {
				createSchema(t, randomSchema(r, prefix+string(rune('a'+r.IntN(26)))+fmt.Sprint(i)))
			}
			requests := make([]request, 150)
			for i := range requests {
				requests[i] = randomRequest(r)
			}
			// All at one time, once what was created is in force everywhere.
			eventually(t, 30*time.Second, "all answers are those of the kube-apiserver", func() error {
				if err := digested(t, prefix); err != nil {
					return err
				}
				ownNow, passedOverNow, err := compareAll(t, requests, prefix)
				if err == nil {
					own, passedOver = own+ownNow, passedOver+passedOverNow
				}
				return err
			})
		})
	}
	t.Logf("%d requests of random schemas, %d passed over", own, passedOver)
	if own < 80 || passedOver < 10 {
		t.Error("too few to tell")
	}
}

// compareAll returns how many requests are of schemas with a prefix, and how many
// of these were passed over.
func compareAll(t *testing.T, requests []request, prefix string) (own, passedOver int, err error) {
	t.Helper()
	for _, asked := range requests {
		answer := asked.ask(t)
		if err := asked.compare(t, answer); err != nil {
			return 0, 0, err
		}
		passedOver += len(answer.PassedOver)
		if strings.HasPrefix(answer.FlowSchema.Name, prefix) {
			own++
		}
	}
	return own, passedOver, nil
}

// digested tells whether the kube-apiserver has taken all schemas: each has a status.
func digested(t *testing.T, prefix string) error {
	list, err := lab.admin.FlowcontrolV1().FlowSchemas().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, fs := range list.Items {
		if strings.HasPrefix(fs.Name, prefix) && len(fs.Status.Conditions) == 0 {
			return fmt.Errorf("%s is new", fs.Name)
		}
	}
	return nil
}

// The width of a LIST, by the kube-apiserver's own count of estimated seats.
func testWidth(t *testing.T) {
	const name = "e2e-width"
	fs := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: name}}
	fs.Spec.PriorityLevelConfiguration.Name, fs.Spec.MatchingPrecedence = "workload-low", 2
	fs.Spec.Rules = []flowcontrolv1.PolicyRulesWithSubjects{{
		Subjects:      []flowcontrolv1.Subject{{Kind: "User", User: &flowcontrolv1.UserSubject{Name: name}}},
		ResourceRules: []flowcontrolv1.ResourcePolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}, ClusterScope: true, Namespaces: []string{"*"}}},
	}}
	createSchema(t, fs)
	namespace := manyConfigMaps(t, 60, 20_000)
	small, err := clientcmd.BuildConfigFromFlags("", lab.state.AdminSmallKubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	var counts *v1alpha1.ClassifiedCounts
	eventually(t, 2*time.Minute, "the kube-apiserver has counted the ConfigMaps", func() (err error) {
		counts, err = storedConfigMaps(t, lab.state.APIServers[0])
		if err == nil && *counts.StoredObjects < 60 {
			err = fmt.Errorf("%d stored", *counts.StoredObjects)
		}
		return err
	})
	for _, options := range []*v1alpha1.ClassifiedListOptions{
		nil,
		{Limit: 10},
		{ResourceVersion: "0"},
		{FieldSelector: "metadata.name=absent"},
		{LabelSelector: "a=b", Limit: 30, ResourceVersion: "1"}, // exact, and so from etcd
	} {
		asked := request{user: name, verb: "list", resource: "configmaps", namespace: namespace, options: options}
		vague := asked.ask(t).Width.InitialSeats
		asked.counts = counts
		width := asked.ask(t).Width
		// The small kube-apiserver has so few seats that it counts every request as one.
		big, small := measuredSeats(t, lab.config, lab.state.APIServers[0], asked), measuredSeats(t, small, lab.state.APIServers[1], asked)
		t.Logf("%+v of %d objects of %d bytes: %v and %v seats, estimated %+v, without counts %+v",
			options, *counts.StoredObjects, *counts.AverageObjectBytes, small, big, width.InitialSeats, vague)
		if float64(width.InitialSeats.AtLeast) != small || float64(width.InitialSeats.AtMost) != big || len(width.Unknown) != 0 {
			t.Errorf("%+v: %v and %v seats, estimated %+v", options, small, big, width)
		}
		if vague.AtLeast > width.InitialSeats.AtLeast || vague.AtMost < width.InitialSeats.AtMost {
			t.Errorf("%+v: %+v without counts", options, vague)
		}
	}
}

// Who may ask about itself may not ask about others.
func testReviewAccess(t *testing.T) {
	const user = "e2e-self"
	binding, err := lab.admin.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "slo-apiserver:self-classifier"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = lab.admin.RbacV1().ClusterRoleBindings().Delete(context.Background(), binding.Name, metav1.DeleteOptions{})
	})
	asked := request{user: user, verb: "list", resource: "pods"}
	var answer *v1alpha1.SelfAPFClassification
	eventually(t, 30*time.Second, "a user asks about itself", func() error {
		answer, err = as(t, user).SloV1alpha1().SelfAPFClassifications().Create(t.Context(),
			&v1alpha1.SelfAPFClassification{Spec: v1alpha1.SelfAPFClassificationSpec{ClassifiedRequest: asked.attributes()}}, metav1.CreateOptions{})
		return err
	})
	if u := answer.Status.User; u == nil || u.Name != user || !slices.Equal(u.Groups, []string{"system:authenticated"}) {
		t.Errorf("asked about %+v", u)
	}
	if err := asked.compare(t, &answer.Status); err != nil {
		t.Error(err)
	}
	if _, err := as(t, user).SloV1alpha1().APFClassifications().Create(t.Context(), asked.review(), metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a user that may ask about itself asks about a user: %v, want 403", err)
	}
	if _, err := as(t, "nobody").SloV1alpha1().SelfAPFClassifications().Create(t.Context(), &v1alpha1.SelfAPFClassification{}, metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a user without rights: %v, want 403", err)
	}
}

func testReviewKubectl(t *testing.T) {
	file := filepath.Join(t.TempDir(), "review.json")
	write := func(r request) {
		review := r.review()
		review.APIVersion, review.Kind = v1alpha1.SchemeGroupVersion.String(), "APFClassification"
		data, err := json.Marshal(review)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for version, binary := range kubectls(t) {
		write(request{user: "system:serviceaccount:shop:cart", verb: "list", resource: "configmaps", namespace: "shop"})
		out, stderr, err := kubectl(t, binary, "create", "-f", file, "-o", "yaml")
		for _, want := range []string{"name: service-accounts", "name: workload-low", "treatment: Queue", "distinguisher: system:serviceaccount:shop:cart", "- StoredObjects"} {
			if err != nil || !strings.Contains(out, want) {
				t.Errorf("%s: no %q: %v\n%s%s", version, want, err, out, stderr)
			}
		}
		if version == "lab" {
			t.Log(out)
		}
		write(request{user: "alice", verb: "impersonate", resource: "users"})
		if _, stderr, err := kubectl(t, binary, "create", "-f", file); err == nil || !strings.Contains(stderr, "spec.resourceAttributes.verb: Unsupported value") {
			t.Errorf("%s: a verb of no request: %v, %s", version, err, stderr)
		}
		for _, field := range []string{"apfclassification.status.width", "selfapfclassification.spec.resourceAttributes"} {
			if out, stderr, err := kubectl(t, binary, "explain", field); err != nil || !strings.Contains(out, "FIELDS:") {
				t.Errorf("%s: explain %s: %v\n%s%s", version, field, err, out, stderr)
			}
		}
	}
}

func randomSchema(r *rand.Rand, name string) *flowcontrolv1.FlowSchema {
	fs := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: name}}
	fs.Spec.MatchingPrecedence = 2 + r.Int32N(4)
	fs.Spec.PriorityLevelConfiguration.Name = pick(r, "workload-low", "workload-high", "catch-all", "exempt", "e2e-missing")
	for range 1 + r.IntN(2) {
		rule := flowcontrolv1.PolicyRulesWithSubjects{Subjects: []flowcontrolv1.Subject{randomSubject(r)}}
		namespaces := []string{pick(r, "e2e-a", "e2e-b", "*")}
		rule.ResourceRules = []flowcontrolv1.ResourcePolicyRule{{
			Verbs: []string{pick(r, "get", "list", "create", "*", "*")}, APIGroups: []string{pick(r, "", "apps", "*")},
			Resources: []string{pick(r, "pods", "pods/status", "deployments", "namespaces", "*")}, ClusterScope: r.IntN(2) == 0, Namespaces: namespaces,
		}}
		rule.NonResourceRules = []flowcontrolv1.NonResourcePolicyRule{{
			Verbs: []string{pick(r, "get", "*")}, NonResourceURLs: []string{pick(r, "/version", "/healthz", "/healthz/*", "/apis", "*")},
		}}
		fs.Spec.Rules = append(fs.Spec.Rules, rule)
	}
	return fs
}

// randomSubject is none of the cluster itself.
func randomSubject(r *rand.Rand) flowcontrolv1.Subject {
	switch r.IntN(3) {
	case 0:
		return flowcontrolv1.Subject{Kind: "User", User: &flowcontrolv1.UserSubject{Name: pick(r, "e2e-alice", "e2e-bob")}}
	case 1:
		return flowcontrolv1.Subject{Kind: "Group", Group: &flowcontrolv1.GroupSubject{Name: pick(r, "e2e-dev", "system:serviceaccounts:e2e-a")}}
	default:
		return flowcontrolv1.Subject{Kind: "ServiceAccount", ServiceAccount: &flowcontrolv1.ServiceAccountSubject{Namespace: "e2e-a", Name: pick(r, "one", "*")}}
	}
}

func randomRequest(r *rand.Rand) request {
	asked := request{user: pick(r, "e2e-alice", "e2e-bob", "system:serviceaccount:e2e-a:one", "system:serviceaccount:e2e-a:two", "system:serviceaccount:e2e-ab:one")}
	if r.IntN(3) == 0 {
		asked.groups = []string{"e2e-dev"}
	}
	if r.IntN(4) == 0 {
		asked.verb, asked.path = pick(r, "get", "post"), pick(r, "/version", "/healthz", "/healthz/etcd", "/apis", "/apis/apps")
		return asked
	}
	asked.verb = pick(r, "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
	asked.group, asked.resource = "", pick(r, "pods", "namespaces", "configmaps")
	if r.IntN(4) == 0 {
		asked.group, asked.resource = "apps", "deployments"
	}
	if asked.resource != "namespaces" {
		asked.namespace = pick(r, "", "e2e-a", "e2e-b")
	}
	switch asked.verb {
	case "get", "update", "patch", "delete":
		asked.name = pick(r, "e2e-a", "absent")
		asked.namespace = cmp.Or(asked.namespace, map[bool]string{false: "e2e-a"}[asked.resource == "namespaces"])
		if asked.verb != "delete" && r.IntN(3) == 0 {
			asked.subresource = "status"
		}
	}
	return asked
}

func pick(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }
