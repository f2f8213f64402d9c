// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// oauth2Transport sends an access token along. prometheus/common has one too, which
// asks for tokens without a deadline, so that a token endpoint that hangs stops the
// source for good, and follows redirects of that endpoint with the client secret. This
// one asks within the deadline of the request, and follows none.
type oauth2Transport struct {
	next   http.RoundTripper
	client *http.Client
	config config.OAuth2
	// secret of the client, or key to sign with; its file is read again for each request.
	secret config.SecretReader
	// turn is held by the one that looks at the token, or asks for a new one.
	turn  chan struct{}
	token *oauth2.Token
	// grant that the token was got by, with the secret of that time.
	grant tokenGrant
	of    string
}

// tokenGrant is a way to get tokens.
type tokenGrant interface {
	TokenSource(ctx context.Context) oauth2.TokenSource
}

// jwtBearer is a grant type (RFC 7523, 2.1); the other one is client_credentials.
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// maxTokenBytes of an answer that holds a token; they are a few thousand long.
const maxTokenBytes = 1 << 20

// newOAuth2Transport adds tokens to the requests that next sends.
func newOAuth2Transport(settings config.OAuth2, next http.RoundTripper) (*oauth2Transport, error) {
	transport, err := config.NewRoundTripperFromConfig(
		config.HTTPClientConfig{TLSConfig: settings.TLSConfig, ProxyConfig: settings.ProxyConfig, EnableHTTP2: true},
		"oauth2", config.WithUserAgent(userAgent))
	if err != nil {
		return nil, fmt.Errorf("oauth2: %w", err)
	}
	if settings.ClientSecretRef != "" || settings.ClientCertificateKeyRef != "" {
		return nil, errors.New("oauth2: there is no secret manager that could be referred to; name a file")
	}
	text, file := settings.ClientSecret, settings.ClientSecretFile
	if settings.GrantType == jwtBearer {
		text, file = settings.ClientCertificateKey, settings.ClientCertificateKeyFile
	}
	var secret config.SecretReader = config.NewInlineSecret(string(text))
	if file != "" {
		secret = config.NewFileSecret(file)
	}
	return &oauth2Transport{
		next: next, config: settings, secret: secret,
		client: &http.Client{
			Transport:     limitedTransport{next: transport, limit: maxTokenBytes},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		turn: make(chan struct{}, 1),
	}, nil
}

// RoundTrip implements http.RoundTripper.
func (t *oauth2Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := t.valid(request.Context())
	if err != nil {
		if request.Body != nil {
			request.Body.Close()
		}
		return nil, fmt.Errorf("oauth2: %w", err)
	}
	request = request.Clone(request.Context())
	token.SetAuthHeader(request)
	return t.next.RoundTrip(request)
}

// valid token, a new one if need be. Requests at one time wait for one token.
func (t *oauth2Transport) valid(ctx context.Context) (*oauth2.Token, error) {
	secret, err := t.secret.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("get a token: %w", ctx.Err())
	}
	if t.grant == nil || t.of != secret {
		t.grant, t.of, t.token = t.newGrant(secret), secret, nil
	}
	if !t.token.Valid() {
		token, err := t.grant.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, t.client)).Token()
		if err != nil {
			return nil, tokenError(err)
		}
		t.token = token
	}
	return t.token, nil
}

func (t *oauth2Transport) newGrant(secret string) tokenGrant {
	parameters := url.Values{}
	for name, value := range t.config.EndpointParams {
		parameters.Set(name, value)
	}
	if t.config.GrantType != jwtBearer {
		return &clientcredentials.Config{
			ClientID: t.config.ClientID, ClientSecret: secret,
			TokenURL: t.config.TokenURL, Scopes: t.config.Scopes, EndpointParams: parameters,
		}
	}
	algorithm := jwt.SigningMethodRS256
	switch t.config.SignatureAlgorithm {
	case jwt.SigningMethodRS384.Name:
		algorithm = jwt.SigningMethodRS384
	case jwt.SigningMethodRS512.Name:
		algorithm = jwt.SigningMethodRS512
	}
	issuer := t.config.Iss
	if issuer == "" {
		issuer = t.config.ClientID
	}
	return &config.JwtGrantTypeConfig{
		Iss: issuer, Subject: t.config.ClientID, Audience: t.config.Audience, PrivateClaims: t.config.Claims,
		PrivateKey: []byte(secret), PrivateKeyID: t.config.ClientCertificateKeyID, SigningAlgorithm: algorithm,
		TokenURL: t.config.TokenURL, Scopes: t.config.Scopes, EndpointParams: parameters,
	}
}

// tokenError says what the token endpoint answered, without the answer itself: it may
// repeat what was sent.
func tokenError(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		code := refused.ErrorCode // such as invalid_client (RFC 6749, 5.2)
		if code == "" {
			code = "no reason"
		}
		remedy := ""
		if refused.Response.StatusCode/100 == 3 {
			remedy = "; redirects are not followed, give the URL it points at (" + location(refused.Response) + ")"
		}
		return fmt.Errorf("token_url answers %s: %s%s", httpStatus(refused.Response.StatusCode), clip(code), remedy)
	}
	if sent, ok := errors.AsType[*url.Error](err); ok {
		err = sent.Err // without the URL
	}
	return fmt.Errorf("get a token: %w", clipped(err))
}
