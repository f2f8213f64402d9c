// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// WriteKubeconfig writes how to reach server as the owner of a client certificate.
func WriteKubeconfig(file, server, caFile string, user Pair) error {
	return writeKubeconfig(file, server, caFile, &api.AuthInfo{ClientCertificate: user.CertFile, ClientKey: user.KeyFile})
}

// WriteTokenKubeconfig writes how to reach server with a bearer token.
func WriteTokenKubeconfig(file, server, caFile, token string) error {
	return writeKubeconfig(file, server, caFile, &api.AuthInfo{Token: token})
}

func writeKubeconfig(file, server, caFile string, user *api.AuthInfo) error {
	config := api.NewConfig()
	config.Clusters["lab"] = &api.Cluster{Server: server, CertificateAuthority: caFile}
	config.AuthInfos["user"] = user
	config.Contexts["lab"] = &api.Context{Cluster: "lab", AuthInfo: "user"}
	config.CurrentContext = "lab"
	return clientcmd.WriteToFile(*config, file) // mode 0600
}
