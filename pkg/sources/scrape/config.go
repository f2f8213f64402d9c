// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"example.io/slo-apiserver/pkg/sources"
)

// Config of a Source. Zero values of Interval, Timeout, History, Limits,
// Concurrency and Clock take the default named with the field.
type Config struct {
	// Signals to read. Nothing else is kept of what the targets expose.
	Signals []sources.Signal
	// Finders name the targets. A target found twice is scraped once.
	Finders []Finder
	// REST holds the identity to present, its credentials re-read as client-go
	// does, and the CA of the kube-apiservers. Its host is not used.
	REST *rest.Config
	// Kubelet says how the certificates of kubelets are checked.
	Kubelet KubeletTLS
	// Interval between two scrapes of a target; default 15 s.
	Interval time.Duration
	// Timeout of one scrape, at most Interval; default 10 s.
	Timeout time.Duration
	// History is how far back samples are kept; default 10 minutes and two
	// intervals, so that a window of 10 minutes finds a sample before its start.
	History time.Duration
	// Limits on what one target may send.
	Limits Limits
	// Concurrency is how many targets of one component are scraped at once;
	// default 32. Those that keep it waiting for more than a quarter of a second go on
	// beside them: with the default timeout at most 40 times as many, and as many more
	// of those that have failed slowly the last time.
	Concurrency int
	// Clock paces Run and dates its scrapes; default the real one.
	Clock clock.WithTicker
}

// KubeletTLS says how the serving certificates of kubelets are checked, and who we
// are to them. Without a certificate authority, and unless they are not checked,
// they have to be signed by the CA of the kube-apiservers.
type KubeletTLS struct {
	// Insecure accepts any certificate. The credentials are sent all the same: to
	// ask for this is to trust the network.
	Insecure bool
	// CertificateAuthority is a file of the CAs that sign them.
	CertificateAuthority string
	// ClientCertificate and ClientKey are files to present instead of the
	// credentials for the kube-apiservers, which kubelets do not see then.
	ClientCertificate, ClientKey string
}

// Limits protect this process from a target. A body over BodyBytes fails its
// scrape; a series over one of the others is left out, with a warning.
type Limits struct {
	// BodyBytes of one answer after decompression; default 128 MiB. A
	// kube-apiserver of a large cluster sends some tens of MB.
	BodyBytes int64
	// SeriesPerTarget that are kept of one process; a histogram is one series.
	// Default 100,000.
	SeriesPerTarget int
	// LabelBytes of one label name or value; default 1024.
	LabelBytes int
}

// maxProcesses that may answer at one address within the history: restarts and
// what stands behind a load balancer. More is a target that makes up its start
// time, and would take memory without bound.
const maxProcesses = 32

// complete returns c with its defaults filled in, or what is wrong with it.
func (c Config) complete() (Config, error) {
	c.Interval = orDefault(c.Interval, 15*time.Second)
	c.Timeout = orDefault(c.Timeout, min(10*time.Second, c.Interval))
	c.History = orDefault(c.History, 10*time.Minute+2*c.Interval)
	c.Limits.BodyBytes = orDefault(c.Limits.BodyBytes, 128<<20)
	c.Limits.SeriesPerTarget = orDefault(c.Limits.SeriesPerTarget, 100_000)
	c.Limits.LabelBytes = orDefault(c.Limits.LabelBytes, 1024)
	c.Concurrency = orDefault(c.Concurrency, 32)
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	switch {
	case len(c.Signals) == 0:
		return c, errors.New("no signals to read")
	case len(c.Finders) == 0:
		return c, errors.New("no finder of targets")
	case c.REST == nil:
		return c, errors.New("no client configuration to reach targets with")
	case c.Interval < slots*time.Millisecond:
		return c, fmt.Errorf("interval %s: must be at least %s", c.Interval, slots*time.Millisecond)
	case c.Timeout < 0 || c.Timeout > c.Interval:
		return c, fmt.Errorf("timeout %s: must be positive and at most the interval %s", c.Timeout, c.Interval)
	case c.History < 2*c.Interval:
		return c, fmt.Errorf("history %s: must hold at least two intervals of %s", c.History, c.Interval)
	case c.Limits.BodyBytes < 0 || c.Limits.SeriesPerTarget < 0 || c.Limits.LabelBytes < 0:
		return c, fmt.Errorf("limits %+v: must be positive", c.Limits)
	case c.Concurrency < 0:
		return c, fmt.Errorf("concurrency %d: must be positive", c.Concurrency)
	case c.Kubelet.Insecure && c.Kubelet.CertificateAuthority != "":
		return c, errors.New("kubelet certificates: give a certificate authority or accept any certificate, not both")
	case (c.Kubelet.ClientCertificate == "") != (c.Kubelet.ClientKey == ""):
		return c, errors.New("client certificate for kubelets: the certificate and its key need each other")
	}
	return c, nil
}

func orDefault[T comparable](v, byDefault T) T {
	var zero T
	if v == zero {
		return byDefault
	}
	return v
}
