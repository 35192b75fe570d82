package invoke

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// workshop deploys functions that are goroutines.
type workshop struct {
	behave func(c live.Config, r live.Request) live.Result // nil: echo
	slow   chan struct{}                                   // images and snapshots come when it is closed; nil: at once
	unfit  error                                           // of every snapshot

	mu       sync.Mutex
	deployed []*product
}

type product struct {
	shop   *workshop
	config live.Config
	image  image.Image
	closed bool
	keeps  int // provisioned
}

var (
	_ Deployer    = (*workshop)(nil)
	_ Provisioner = (*product)(nil)
)

func (w *workshop) Open(_ context.Context, c Code) (image.Image, error) {
	if c.Image != "" {
		if w.slow != nil {
			<-w.slow
		}
		if c.Image == "missing" {
			return image.Image{}, errors.New("no such image")
		}
		return image.Image{Kind: image.KindContainer, Digest: "sha256:abcd", Handler: "main"}, nil
	}
	z, err := zip.NewReader(bytes.NewReader(c.Zip), int64(len(c.Zip)))
	if err != nil {
		return image.Image{}, err
	}
	if _, err := z.Open("bootstrap"); err != nil {
		return image.Image{}, image.ErrNoBootstrap
	}
	return image.Image{Kind: image.KindZip, Bytes: 1, Digest: fmt.Sprintf("sha256:%x", len(c.Zip))}, nil
}

func (w *workshop) Deploy(img image.Image, c live.Config) Deployed {
	p := &product{shop: w, config: c, image: img}
	w.mu.Lock()
	w.deployed = append(w.deployed, p)
	w.mu.Unlock()
	return p
}

func (w *workshop) Snapshot(_ context.Context, img image.Image, _ live.Config) (image.Image, error) {
	if w.slow != nil {
		<-w.slow
	}
	img.Argv = []string{"restorer"}
	return img, w.unfit
}

func (p *product) Close() error {
	p.shop.mu.Lock()
	defer p.shop.mu.Unlock()
	p.closed = true
	return nil
}

func (p *product) Provision(n int)                  { p.keeps = n }
func (p *product) Provisioned() (ready, failed int) { return p.keeps, 0 }

func (p *product) Serve(r live.Request, answer func(live.Result)) {
	if r.ID == "" {
		r.ID = newID()
	}
	res := live.Result{Payload: r.Payload}
	if p.shop.behave != nil {
		res = p.shop.behave(p.config, r)
	}
	res.RequestID = r.ID
	if res.Outcome == "" {
		res.Outcome = results.OutcomeServed
	}
	if r.Tail {
		res.Tail = []byte("START\nEND\n")
	}
	answer(res)
}

// open is how many deployments are not closed.
func (w *workshop) open() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.deployed {
		if !p.closed {
			n++
		}
	}
	return n
}

// zipped is a zip with a bootstrap of these contents.
func zipped(t testing.TB, contents string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("bootstrap")
	if err == nil {
		_, err = w.Write([]byte(contents))
	}
	if cerr := z.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// account starts a service on a server of its own.
func account(t testing.TB, w *workshop, c Config) (*Service, *httptest.Server) {
	t.Helper()
	c.Deployer = w
	if c.Say == nil {
		c.Say = func(format string, args ...any) { t.Logf(format, args...) }
	}
	s := New(c)
	server := httptest.NewServer(s)
	s.config.URL = server.URL
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if n := w.open(); n > 0 {
			t.Errorf("%d deployments were left open", n)
		}
	})
	return s, server
}

// talk sends a request of the API, and returns status, error type and body.
func talk(t testing.TB, s *Service, method, path, body string, headers ...string) (int, string, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	out := map[string]any{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			out["text"] = w.Body.String()
		}
	}
	return w.Code, w.Header().Get("X-Amzn-Errortype"), out
}

// create makes a function of a zip.
func create(t testing.TB, s *Service, name string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"FunctionName": name, "Role": "r", "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": map[string]any{"ZipFile": zipped(t, name)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if code, kind, out := talk(t, s, "POST", "/2015-03-31/functions", string(body)); code != 201 {
		t.Fatalf("create %s: %d %s %v", name, code, kind, out)
	}
}

// small is an account with few invocations at once.
func small(n int) Config {
	return Config{Account: plane.AccountRules{Concurrency: n, Unreserved: -1, RequestRate: -1}}
}

// words are values with a space between each two.
func words(values ...any) string { return strings.TrimSpace(fmt.Sprintln(values...)) }
