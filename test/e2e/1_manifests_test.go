// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	flowcontrolv1beta2 "k8s.io/api/flowcontrol/v1beta2"
	flowcontrolv1beta3 "k8s.io/api/flowcontrol/v1beta3"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// rendered are the objects of a directory, as text.
func rendered(t *testing.T, kubectlBinary, dir string) []string {
	t.Helper()
	out, stderr, err := kubectl(t, kubectlBinary, "kustomize", dir)
	if err != nil {
		t.Fatalf("%s: %v\n%s", dir, err, stderr)
	}
	return strings.Split(out, "\n---\n")
}

// The manifests are what the API takes, to the last field. The APIService is left
// out: the lab has applied it, and given it a certificate authority since.
func TestManifests(t *testing.T) {
	binary := kubectls(t)["lab"]
	for _, dir := range []string{"../../artifacts/deploy", "../../artifacts/deploy/prometheus", "testdata/kubelet-insecure-tls"} {
		objects := slices.DeleteFunc(rendered(t, binary, dir), func(object string) bool {
			return strings.Contains(object, "kind: APIService\n")
		})
		file := filepath.Join(t.TempDir(), "objects.yaml")
		if err := os.WriteFile(file, []byte(strings.Join(objects, "\n---\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, stderr, err := kubectl(t, binary, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", file); err != nil {
			t.Errorf("%s: %v\n%s%s", dir, err, out, stderr)
		}
	}
}

// For clusters that do not know flowcontrol v1, and which the lab is not, the flow
// schema alone is another object: one of that version, to the last field.
func TestManifestsBeforeFlowcontrolV1(t *testing.T) {
	for version, kind := range map[string]any{"v1beta3": &flowcontrolv1beta3.FlowSchema{}, "v1beta2": &flowcontrolv1beta2.FlowSchema{}} {
		for name, binary := range kubectls(t) {
			const today = "../../artifacts/deploy"
			objects, before := rendered(t, binary, "testdata/flowcontrol-"+version), rendered(t, binary, today)
			others := slices.DeleteFunc(objects, func(object string) bool { return slices.Contains(before, object) })
			if len(others) != 1 || len(objects) != len(before) {
				t.Errorf("%s, kubectl of the %s: %d of %d objects differ from those of %s, want the flow schema", version, name, len(others), len(objects), today)
				continue
			}
			if err := yaml.UnmarshalStrict([]byte(others[0]), kind); err != nil {
				t.Errorf("%s: %v\n%s", version, err, others[0])
			}
			if !strings.HasPrefix(others[0], "apiVersion: flowcontrol.apiserver.k8s.io/"+version+"\nkind: FlowSchema\n") {
				t.Errorf("%s, kubectl of the %s: \n%s", version, name, others[0])
			}
		}
	}
}
