// Command webhook-check verifies messages with the Standard Webhooks project's own library. It reads one JSON object a line
// (secret, headers, body) and answers each with a line: "ok", or what is wrong with the message.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type message struct {
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func main() {
	input := bufio.NewReader(os.Stdin)
	for {
		line, err := input.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err == nil {
			err = check(line)
		}
		if err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("ok")
		}
	}
}

func check(line []byte) error {
	var said message
	if err := json.Unmarshal(line, &said); err != nil {
		return err
	}
	webhook, err := webhooks.NewWebhook(said.Secret)
	if err != nil {
		return err
	}
	headers := http.Header{}
	for name, value := range said.Headers {
		headers.Set(name, value)
	}
	return webhook.Verify([]byte(said.Body), headers)
}
