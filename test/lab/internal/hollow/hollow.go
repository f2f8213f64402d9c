// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package hollow runs one kubelet without containers: k8s.io/kubernetes/pkg/kubemark with the authentication,
// authorization and TLS of a real node, which the stock hollow node leaves out.
package hollow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/trace/noop"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	criclient "k8s.io/cri-client/pkg"
	crifake "k8s.io/cri-client/pkg/fake"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubemark"
)

type settings struct {
	name       string
	kubeconfig string
	port       int
	certFile   string
	keyFile    string
	clientCA   string
	startDelay time.Duration
	maxPods    int
}

// NewCommand returns the command. Its temporary files go to $TMPDIR, which is the caller's to remove.
func NewCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:           "hollow-kubelet",
		Short:         "a kubelet whose containers are not run",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.StringVar(&s.name, "name", "", "name of the node")
	fs.StringVar(&s.kubeconfig, "kubeconfig", "", "how to reach the kube-apiserver as this node")
	fs.IntVar(&s.port, "port", 0, "port on 127.0.0.1")
	fs.StringVar(&s.certFile, "tls-cert-file", "", "serving certificate")
	fs.StringVar(&s.keyFile, "tls-private-key-file", "", "key of the serving certificate")
	fs.StringVar(&s.clientCA, "client-ca-file", "", "who signs client certificates")
	fs.DurationVar(&s.startDelay, "container-start-delay", 300*time.Millisecond, "how long one container takes to start, and up to half of it more")
	fs.IntVar(&s.maxPods, "max-pods", 110, "pods this node takes")
	return cmd
}

func (s *settings) run(ctx context.Context) error {
	if s.name == "" || s.port == 0 || s.kubeconfig == "" {
		return errors.New("--name, --port and --kubeconfig are needed")
	}
	clientConfig, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	clientConfig.UserAgent = "hollow-kubelet"
	clientConfig.ContentType = "application/vnd.kubernetes.protobuf"
	clientConfig.QPS, clientConfig.Burst = 50, 100 // a kubelet's own defaults
	clientConfig.Wrap(func(rt http.RoundTripper) http.RoundTripper { return lateWatch{rt, 100 * time.Millisecond} })
	client, err := clientset.NewForConfig(clientConfig)
	if err != nil {
		return err
	}
	flags, config := s.configure()
	heartbeat, err := heartbeatClient(clientConfig, config)
	if err != nil {
		return err
	}

	endpoint, err := crifake.GenerateEndpoint()
	if err != nil {
		return fmt.Errorf("runtime endpoint: %w", err)
	}
	remote := crifake.NewFakeRemoteRuntime()
	if err := remote.Start(endpoint); err != nil {
		return fmt.Errorf("start runtime: %w", err)
	}
	defer remote.Stop()
	runtimeService, err := criclient.NewRemoteRuntimeService(ctx, endpoint, 15*time.Second, noop.NewTracerProvider(), false)
	if err != nil {
		return fmt.Errorf("runtime service: %w", err)
	}

	kubelet := kubemark.NewHollowKubelet(flags, config, client, heartbeat,
		&cadvisortest.Fake{NodeName: s.name}, remote.ImageService,
		slowStart{runtimeService, s.startDelay}, cm.NewStubContainerManager())
	auth, runReload, err := kubeletapp.BuildAuth(types.NodeName(s.name), client, *config)
	if err != nil {
		return fmt.Errorf("authentication and authorization: %w", err)
	}
	kubelet.KubeletDeps.Auth = auth
	if kubelet.KubeletDeps.TLSOptions, err = kubeletapp.InitializeTLS(ctx, flags, config); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	runReload(ctx.Done())
	kubelet.Run(ctx) // never returns: a signal ends the process
	return nil
}

func (s *settings) configure() (*options.KubeletFlags, *kubeletconfig.KubeletConfiguration) {
	flags, config := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{
		NodeName:    s.name,
		KubeletPort: s.port,
		MaxPods:     s.maxPods,
	})
	// "external": the kubelet then keeps the 192.0.2.x address that the lab has written into the Node.
	flags.CloudProvider = "external"
	config.Address = "127.0.0.1"
	config.ReadOnlyPort = 0
	config.TLSCertFile, config.TLSPrivateKeyFile = s.certFile, s.keyFile
	config.Authentication.Anonymous.Enabled = false
	config.Authentication.X509.ClientCAFile = s.clientCA
	config.Authentication.Webhook.Enabled = true
	config.Authorization.Mode = kubeletconfig.KubeletAuthorizationModeWebhook
	config.MakeIPTablesUtilChains = false // the machine's tables are none of our business
	return flags, config
}

// heartbeatClient is apart from the other one, as in a real kubelet: a busy client must not cost the node its lease.
func heartbeatClient(base *rest.Config, config *kubeletconfig.KubeletConfiguration) (*clientset.Clientset, error) {
	c := rest.CopyConfig(base)
	c.Timeout = min(config.NodeStatusUpdateFrequency.Duration, time.Duration(config.NodeLeaseDurationSeconds)*time.Second)
	c.QPS = -1
	return clientset.NewForConfig(c)
}
