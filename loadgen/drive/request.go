package drive

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// requests are the bytes that triggers put on the wire: one request per
// payload, written out once, since all that differs from trigger to trigger is
// which of them it sends.
type requests struct {
	wire    [][][]byte // by route and payload; of an attack without routes, of one
	route   func(seq int) int
	names   []string
	upTo    []int // running sum of weights
	seed    uint64
	methods []string // by route, or the one of all
}

func (a Attack) requests() (*requests, error) {
	if len(a.Targets) > 0 {
		return a.targeted()
	}
	r := &requests{seed: uint64(a.Seed), methods: []string{a.Method}, route: a.Route}
	payloads := a.Payloads
	if len(payloads) == 0 {
		payloads = []Payload{{}}
	}
	sum := 0
	for _, p := range payloads {
		sum += max(p.Weight, 1)
		r.names, r.upTo = append(r.names, p.Name), append(r.upTo, sum)
	}
	routes := a.Routes
	if len(routes) == 0 {
		routes = []string{a.URL}
	}
	for _, url := range routes {
		wires, err := a.wires(url, payloads)
		if err != nil {
			return nil, err
		}
		r.wire = append(r.wire, wires)
	}
	return r, nil
}

// wires writes out the requests to one URL.
func (a Attack) wires(url string, payloads []Payload) ([][]byte, error) {
	var all [][]byte
	for _, p := range payloads {
		wire, err := a.wire(url, p)
		if err != nil {
			return nil, fmt.Errorf("payload %s: %w", p.Name, err)
		}
		all = append(all, wire)
	}
	return all, nil
}

// wire writes out the request for one payload.
func (a Attack) wire(url string, p Payload) ([]byte, error) {
	req, err := http.NewRequest(a.Method, url, bytes.NewReader(p.Body))
	if err != nil {
		return nil, err
	}
	req.Header = a.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header.Set("User-Agent", "coldstorm")
	}
	if _, ok := req.Header["Content-Type"]; !ok && len(p.Body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	var buf bytes.Buffer
	if err := req.Write(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// pick returns the request and the payload's name of a trigger: a pure function
// of the seed and the trigger's position.
func (r *requests) pick(seq uint64) ([]byte, string) {
	wire := r.wire[0]
	if r.route != nil {
		wire = r.wire[r.route(int(seq))]
	}
	if len(wire) == 1 {
		return wire[0], r.names[0]
	}
	n := rand.New(rand.NewPCG(r.seed, seq)).IntN(r.upTo[len(r.upTo)-1])
	for i, limit := range r.upTo {
		if n < limit {
			return wire[i], r.names[i]
		}
	}
	panic("unreachable: n is below the last sum")
}
