package workloads

import (
	"encoding/json"
	"fmt"
)

// helloEvent is an event of the function hello: it names a visitor.
func helloEvent(size string, seed int64) ([]byte, error) {
	if size != "small" {
		return nil, fmt.Errorf("no size %q (sizes: small)", size)
	}
	return fmt.Appendf(nil, `{"name":"visitor %d"}`, seed), nil
}

// helloExpect checks that the visitor is greeted.
func helloExpect(size string, seed int64) (func([]byte) error, error) {
	if _, err := helloEvent(size, seed); err != nil {
		return nil, err
	}
	want := fmt.Sprintf("hello, visitor %d", seed)
	return func(response []byte) error {
		var answer struct{ Greeting string }
		if err := json.Unmarshal(response, &answer); err != nil {
			return fmt.Errorf("response: %w", err)
		}
		if answer.Greeting != want {
			return fmt.Errorf("greeting %q, want %q", answer.Greeting, want)
		}
		return nil
	}, nil
}
