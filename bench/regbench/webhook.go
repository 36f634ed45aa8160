package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

// admit posts one AdmissionReview again and again and checks what the webhook decides.
func (l *load) admit(c *client) (operation, error) {
	review, err := os.ReadFile(l.review)
	if err != nil {
		return nil, err
	}
	var sent struct {
		Request struct {
			UID string `json:"uid"`
		} `json:"request"`
	}
	if err := json.Unmarshal(review, &sent); err != nil || sent.Request.UID == "" {
		return nil, fmt.Errorf("%s is not an AdmissionReview: %v", l.review, err)
	}
	content := bytesBody(review)
	return func(_, _ int) error {
		response, err := c.do(http.MethodPost, c.base, "", "application/json", content, http.StatusOK)
		if err != nil {
			return err
		}
		defer drain(response)
		var answer struct {
			Response struct {
				UID     string `json:"uid"`
				Allowed bool   `json:"allowed"`
			} `json:"response"`
		}
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			return fmt.Errorf("the webhook's answer: %w", err)
		}
		if answer.Response.UID != sent.Request.UID || answer.Response.Allowed != l.wantAllow {
			return fmt.Errorf("the webhook answered %+v instead of allowed=%v for %s", answer.Response, l.wantAllow, sent.Request.UID)
		}
		return nil
	}, nil
}
