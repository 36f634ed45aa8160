package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// client keeps connections open and remembers, for each scope, what authorised the last request.
type client struct {
	http        *http.Client
	base        string
	credentials string
	known       sync.Map
}

func newClient(base, credentials string, connections int) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = connections
	transport.DisableCompression = true
	transport.ReadBufferSize, transport.WriteBufferSize = 256<<10, 256<<10
	// Webhooks have certificates of their own making; what is measured is not whom we talk to.
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	transport.ForceAttemptHTTP2 = false
	return &client{http: &http.Client{Transport: transport}, base: strings.TrimSuffix(base, "/"), credentials: credentials}
}

// do sends one request and expects one status, answering a challenge as real clients do. The caller reads the answer.
func (c *client) do(method, address, scope, contentType string, content *body, want int) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		request, err := http.NewRequest(method, address, nil)
		if err != nil {
			return nil, err
		}
		if content != nil {
			request.Body = io.NopCloser(content.open())
			request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(content.open()), nil }
			request.ContentLength = content.length
			if content.chunked {
				request.ContentLength = -1
			}
			request.Header.Set("Content-Type", contentType)
		}
		if method == http.MethodGet || method == http.MethodHead {
			request.Header.Set("Accept", manifestType)
		}
		if authorization, ok := c.known.Load(scope); ok {
			request.Header.Set("Authorization", authorization.(string))
		}
		response, err := c.http.Do(request)
		if err != nil {
			return nil, err
		}
		if response.StatusCode == want {
			return response, nil
		}
		if response.StatusCode != http.StatusUnauthorized || attempt > 0 {
			detail, _ := io.ReadAll(io.LimitReader(response.Body, 300))
			response.Body.Close()
			return nil, fmt.Errorf("%s %s: %d instead of %d: %s", method, request.URL.Path, response.StatusCode, want, detail)
		}
		challenge := response.Header.Get("Www-Authenticate")
		drain(response)
		authorization, err := c.authorize(challenge)
		if err != nil {
			return nil, err
		}
		c.known.Store(scope, authorization)
	}
}

var challengeParam = regexp.MustCompile(`(\w+)="([^"]*)"`)

// authorize gives the Authorization header that answers a Basic or Bearer challenge.
func (c *client) authorize(challenge string) (string, error) {
	user, password, _ := strings.Cut(c.credentials, ":")
	request, _ := http.NewRequest(http.MethodGet, c.base, nil)
	request.SetBasicAuth(user, password)
	basic := request.Header.Get("Authorization")
	if strings.HasPrefix(strings.ToLower(challenge), "basic") {
		return basic, nil
	}
	params := map[string]string{}
	for _, match := range challengeParam.FindAllStringSubmatch(challenge, -1) {
		params[match[1]] = match[2]
	}
	address, err := url.Parse(params["realm"])
	if err != nil || params["realm"] == "" {
		return "", fmt.Errorf("cannot use the challenge %q", challenge)
	}
	query := address.Query()
	query.Set("service", params["service"])
	query.Set("scope", params["scope"])
	address.RawQuery = query.Encode()
	request, err = http.NewRequest(http.MethodGet, address.String(), nil)
	if err != nil {
		return "", err
	}
	if user != "" {
		request.Header.Set("Authorization", basic)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", err
	}
	defer drain(response)
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("token service answered %d: %w", response.StatusCode, err)
	}
	if answer.Token == "" {
		answer.Token = answer.AccessToken
	}
	if answer.Token == "" {
		return "", fmt.Errorf("token service answered %d without a token", response.StatusCode)
	}
	return "Bearer " + answer.Token, nil
}

// drain reads an answer to its end, so that the connection can be used again, and gives its length.
func drain(response *http.Response) int64 {
	n, _ := io.Copy(io.Discard, response.Body)
	response.Body.Close()
	return n
}
