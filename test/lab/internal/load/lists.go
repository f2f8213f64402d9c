// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

const (
	// listsNamespace holds 400 ConfigMaps of 20 KB: a LIST of them is 8 MB, long enough to hold seats for a while and
	// large enough that APF charges more than one.
	listsNamespace = "lab-load-lists"
	listObjects    = 400
	listObjectSize = 20_000
)

func prepareFlood(ctx context.Context, t *traffic) (func(context.Context, int, int) error, func(context.Context), error) {
	step, err := t.lists(ctx, "flood")
	return step, func(context.Context) {}, err
}

func prepareBigList(ctx context.Context, t *traffic) (func(context.Context, int, int) error, func(context.Context), error) {
	step, err := t.lists(ctx, "biglist")
	return step, func(context.Context) {}, err
}

// prepareCatchAll: no request reaches the mandatory level catch-all by itself, since global-default matches everyone before.
func prepareCatchAll(ctx context.Context, t *traffic) (func(context.Context, int, int) error, func(context.Context), error) {
	const account, schema = "catchall", "lab-catchall"
	step, err := t.lists(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	schemas := t.admin.FlowcontrolV1().FlowSchemas()
	_, err = schemas.Create(ctx, &flowcontrolv1.FlowSchema{
		ObjectMeta: metav1.ObjectMeta{Name: schema},
		Spec: flowcontrolv1.FlowSchemaSpec{
			PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: "catch-all"},
			MatchingPrecedence:         5000, // before service-accounts, 9000
			Rules: []flowcontrolv1.PolicyRulesWithSubjects{{
				Subjects: []flowcontrolv1.Subject{{
					Kind:           flowcontrolv1.SubjectKindServiceAccount,
					ServiceAccount: &flowcontrolv1.ServiceAccountSubject{Namespace: listsNamespace, Name: account},
				}},
				ResourceRules: []flowcontrolv1.ResourcePolicyRule{{
					Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}, ClusterScope: true, Namespaces: []string{"*"},
				}},
			}},
		},
	}, metav1.CreateOptions{})
	return step, func(ctx context.Context) {
		_ = schemas.Delete(ctx, schema, metav1.DeleteOptions{})
	}, existsOr(err)
}

// lists makes the objects and an account, and returns the step of listing them once. The answer is read and thrown away:
// hundreds of decoded lists would cost this process more than they cost the apiserver. And a 429 is not tried again:
// client-go would, ten times, and hide it.
func (t *traffic) lists(ctx context.Context, account string) (func(context.Context, int, int) error, error) {
	config, err := t.account(ctx, listsNamespace, account, allowed("", []string{"configmaps"}, "get", "list"))
	if err != nil {
		return nil, err
	}
	if err := t.fill(ctx); err != nil {
		return nil, fmt.Errorf("objects to list: %w", err)
	}
	config.DisableCompression = true
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	url := config.Host + "/api/v1/namespaces/" + listsNamespace + "/configmaps"
	return func(ctx context.Context, _, _ int) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("LIST: %s", response.Status)
		}
		return err
	}, nil
}

// fill creates the objects that are missing, as the administrator, who is exempt from APF.
func (t *traffic) fill(ctx context.Context) error {
	maps := t.admin.CoreV1().ConfigMaps(listsNamespace)
	if _, err := maps.Get(ctx, listObject(listObjects-1), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return err
	}
	const writers = 8
	payload := strings.Repeat("x", listObjectSize)
	var wg sync.WaitGroup
	failures := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			for i := w; i < listObjects && failures[w] == nil; i += writers {
				_, err := maps.Create(ctx, &corev1.ConfigMap{
					ObjectMeta: metav1.ObjectMeta{Name: listObject(i)},
					Data:       map[string]string{"payload": payload},
				}, metav1.CreateOptions{})
				failures[w] = existsOr(err)
			}
		})
	}
	wg.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func listObject(i int) string { return fmt.Sprintf("large-%03d", i) }
