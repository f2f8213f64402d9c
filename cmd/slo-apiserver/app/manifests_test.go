// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const manifests = "../../../artifacts/deploy"

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(manifests, path))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// patched are the flags that a JSON patch adds.
func patched(t *testing.T, path string) []string {
	t.Helper()
	var flags []string
	for _, match := range regexp.MustCompile(`(?m)^\s*value: (--\S+)$`).FindAllSubmatch(read(t, path), -1) {
		flags = append(flags, string(match[1]))
	}
	if len(flags) == 0 {
		t.Fatalf("%s adds no flags", path)
	}
	return flags
}

// The manifests give flags that this server takes, and name the port it listens on.
func TestManifests(t *testing.T) {
	var deployment appsv1.Deployment
	if err := yaml.UnmarshalStrict(read(t, "base/deployment.yaml"), &deployment); err != nil {
		t.Fatal(err)
	}
	container := deployment.Spec.Template.Spec.Containers[0]
	for name, added := range map[string][]string{
		"base":                 nil,
		"prometheus":           patched(t, "prometheus/args.yaml"),
		"kubelet-insecure-tls": patched(t, "components/kubelet-insecure-tls/kustomization.yaml"),
		"state-volume":         patched(t, "components/state-volume/kustomization.yaml"),
	} {
		o := parse(t, slices.Concat(container.Args, added)...)
		if errs := o.Validate(); len(errs) > 0 {
			t.Errorf("%s: %v", name, errs)
		}
		if o.SecureServing.BindPort != int(container.Ports[0].ContainerPort) {
			t.Errorf("%s: listens on %d, and the port of the pod is %d", name, o.SecureServing.BindPort, container.Ports[0].ContainerPort)
		}
		if o.SecureServing.ServerCert.CertDirectory != "" && *container.SecurityContext.ReadOnlyRootFilesystem && len(container.VolumeMounts) == 0 {
			t.Errorf("%s: nowhere to write certificates to", name)
		}
	}
}
