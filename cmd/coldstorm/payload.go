package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"coldstorm/loadgen/drive"
	"coldstorm/workloads"
)

// payload is an event body, and how to tell whether an answer to it is right.
type payload struct {
	Name   string
	Weight int
	Body   []byte
	check  func(response []byte) error // nil: not known
}

// loadPayloads reads or generates every payload of the scenario, in its order.
func loadPayloads(sc workloads.Scenario) ([]payload, error) {
	var all []payload
	for _, p := range sc.Payloads {
		body, err := sc.Body(p)
		if err != nil {
			return nil, fmt.Errorf("payload %s: %w", p.Name, err)
		}
		loaded := payload{Name: p.Name, Weight: max(1, p.Weight), Body: body}
		if w, ok := workloads.Bundled(sc.Function.Workload); ok && p.Size != "" {
			if loaded.check, err = w.Expect(p.Size, sc.Seed); err != nil {
				return nil, err
			}
		}
		all = append(all, loaded)
	}
	return all, nil
}

// chosen are the payloads that names picks, all of them if it picks none.
func chosen(all []payload, names []string) []payload {
	if len(names) == 0 {
		return all
	}
	var some []payload
	for _, n := range names {
		for _, p := range all {
			if p.Name == n {
				some = append(some, p)
			}
		}
	}
	return some
}

// fired are payloads as the generator takes them.
func fired(payloads []payload) []drive.Payload {
	var out []drive.Payload
	for _, p := range payloads {
		out = append(out, drive.Payload{Name: p.Name, Body: p.Body, Weight: p.Weight})
	}
	return out
}

func (p payload) hash() string {
	sum := sha256.Sum256(p.Body)
	return hex.EncodeToString(sum[:])
}
