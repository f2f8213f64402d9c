// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/common/config"
	"github.com/prometheus/sigv4"
	"go.yaml.in/yaml/v2" // of prometheus/common, whose types know no other
)

// HTTPConfig is how requests are sent: what Prometheus itself has for its HTTP
// clients (https://prometheus.io/docs/prometheus/latest/configuration/configuration/#http_config),
// and sigv4 as its remote_write has it.
type HTTPConfig struct {
	Client config.HTTPClientConfig `yaml:",inline"`
	// SigV4 signs requests for Amazon's services; nil: they are not signed.
	SigV4 *sigv4.SigV4Config `yaml:"sigv4,omitempty"`
}

// LoadHTTPConfig reads an HTTPConfig from a YAML file. Unknown fields are errors. Files
// named in it are relative to its directory, and are read again when they change;
// the file itself is not. Errors name the file, and the line where it is known.
func LoadHTTPConfig(path string) (*HTTPConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read HTTP client configuration: %w", err) // it names the file itself
	}
	loaded := &HTTPConfig{Client: config.DefaultHTTPClientConfig}
	err = yaml.UnmarshalStrict(text, loaded)
	if err == nil {
		err = loaded.validate()
	}
	if err != nil {
		return nil, fmt.Errorf("read HTTP client configuration %s: %w", path, err)
	}
	dir := filepath.Dir(path)
	loaded.Client.SetDirectory(dir)
	if o := loaded.Client.OAuth2; o != nil { // which SetDirectory forgets
		o.ClientCertificateKeyFile = config.JoinDir(dir, o.ClientCertificateKeyFile)
	}
	return loaded, nil
}

func (c *HTTPConfig) validate() error {
	if err := c.Client.Validate(); err != nil {
		return err
	}
	if c.SigV4 == nil {
		return nil
	}
	if c.Client.BasicAuth != nil || c.Client.Authorization != nil || c.Client.OAuth2 != nil {
		return errors.New("at most one of sigv4, basic_auth, oauth2 & authorization must be configured")
	}
	return c.SigV4.Validate()
}
