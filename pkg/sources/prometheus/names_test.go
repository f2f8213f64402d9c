// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Terms are all asked for once, in as few queries as their length allows.
func TestQueryAll(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		terms []string
		want  []int // lengths of the queries
	}{
		{nil, nil},
		{[]string{"a", "b"}, []int{6}},
		{[]string{long(mostText - 5), "b", "c"}, []int{mostText, 1}},
		{[]string{long(mostText - 4), "b", "c"}, []int{mostText - 4, 6}},
		{[]string{long(2 * mostText), "b"}, []int{2 * mostText, 1}},
	} {
		var got []int
		asked := ""
		url := serve(t, func(w http.ResponseWriter, promql string) {
			got = append(got, len(promql))
			asked += promql + " or "
			_, _ = w.Write([]byte(emptyBody))
		})
		q := &session{querier: newTestSource(t, url, nil).querier, at: at}
		if err := q.queryAll(t.Context(), test.terms, func(*series) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" || strings.TrimSuffix(asked, " or ") != strings.Join(test.terms, " or ") {
			t.Errorf("%s: %s", fmt.Sprint(len(test.terms)), diff)
		}
	}
}

func TestClusterLabel(t *testing.T) {
	for name, want := range map[string]bool{
		"cluster": true, "Cluster": true, "cluster_name": true, "clusterID": true, "cluster_id": true, "ClusterName": true,
		"k8s_cluster": true, "k8s_cluster_name": true, "kubernetes_cluster": true, "kube_cluster_name": true,
		"cluster_ip": false, "subcluster": false, "clusters": false, "etcd_cluster": false, "cluster_role": false, "namespace": false,
	} {
		if clusterLabel.MatchString(name) != want {
			t.Errorf("%s: want %v", name, want)
		}
	}
}
