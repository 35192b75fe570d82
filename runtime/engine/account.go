package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"coldstorm/runtime/image"
	"coldstorm/runtime/invoke"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/trigger"
)

// Account asks an engine for the whole of the Lambda API, with functions that
// callers create, in the place of one function that is deployed. Zero values are
// AWS's.
type Account struct {
	Listen string `json:"listen,omitempty"` // address; empty: a free port of loopback
	Copies string `json:"copies"`           // folder for copies of zips; the caller's to remove
	Layers string `json:"layers,omitempty"` // store of images' layers; empty: in Copies

	Concurrency   int           `json:"concurrency,omitempty"`     // of all functions; 0: 1,000
	RequestRate   float64       `json:"request_rate,omitempty"`    // requests a second for each of them; 0: 10, negative: no bound
	ScaleOutBurst float64       `json:"scale_out_burst,omitempty"` // of a function; 0: 1,000, negative: no bound
	ScaleOutRate  float64       `json:"scale_out_rate,omitempty"`  // 0: 100 a second
	KeepAlive     time.Duration `json:"keep_alive_ns,omitempty"`   // 0: 10 minutes, negative: never reclaimed
	RetryDelay    time.Duration `json:"retry_delay_ns,omitempty"`  // of an asynchronous event; 0: a minute
	SettleGrace   time.Duration `json:"settle_grace_ns,omitempty"` // as live.Config
	InitLimit     time.Duration `json:"init_limit_ns,omitempty"`   // 0: 10 s
	NoFreeze      bool          `json:"no_freeze,omitempty"`
	LeastRecent   bool          `json:"least_recent,omitempty"` // the environment serves that has been idle longest
}

// defaultKeepAlive is how long Lambda was measured to keep an idle environment:
// 5 to 10 minutes (facts/aws.md section 3).
const defaultKeepAlive = 10 * time.Minute

func (a Account) environment(log io.Writer) live.Config {
	c := live.Config{
		KeepAlive: a.KeepAlive, ScaleOutBurst: a.ScaleOutBurst, ScaleOutRate: a.ScaleOutRate, SettleGrace: a.SettleGrace, InitLimit: a.InitLimit, NoFreeze: a.NoFreeze, Log: log, LeastRecent: a.LeastRecent,
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = defaultKeepAlive
	}
	if c.ScaleOutBurst == 0 {
		c.ScaleOutBurst = 1000 // live's own zero is no bound
	}
	return c
}

func (a Account) async() plane.AsyncRules {
	r := plane.DefaultAsync()
	if a.RetryDelay > 0 {
		r.RetryDelay = a.RetryDelay
	}
	return r
}

// begin makes the account's service.
func (s *server) beginAccount(a Account, url string) *invoke.Service {
	s.deployer = &deployer{server: s, account: a}
	say := func(format string, args ...any) { fmt.Fprintf(s.stderr, "coldstorm: "+format+"\n", args...) }
	s.triggers = trigger.New(trigger.Config{URL: url, Say: say})
	service := invoke.New(invoke.Config{
		Deployer: s.deployer, URL: url,
		Account:     plane.AccountRules{Concurrency: a.Concurrency, RequestRate: a.RequestRate},
		Async:       a.async(),
		Sources:     s.triggers,
		Environment: a.environment(s.log),
		Say:         say,

		Destinations: s.triggers,
		Ended: func(e invoke.Event, r live.Result) {
			s.triggers.Asynchronous(e.Request.ID, e.Function, e.Arrived, e.Taken, e.Invoked, r)
		},
	})
	s.triggers.Connect(service)
	return service
}

// Limits on what a client may take of a connection's time and memory. One that
// breaks them loses its connection; nobody else notices.
const (
	headerTime  = 10 * time.Second
	requestTime = 60 * time.Second
	idleTime    = 5 * time.Minute
	headerBytes = 64 << 10
)

// accountServer is the server of an endpoint that anybody's client talks to.
func accountServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: log.New(io.Discard, "", 0), // what a client did wrong is the client's to know
	}
}

// add takes a function in that whoever started the engine named.
func (s *server) add(f Function) error {
	if err := f.check(); err != nil {
		return err
	}
	if s.service == nil {
		return fmt.Errorf("add %s: the engine has no account", f.Name)
	}
	if f.Handler != "" {
		f.Image.Handler = f.Handler
	}
	return s.service.Add(f.Name, f.Image, f.MemoryMB, int(f.Timeout/time.Second), f.MaxConcurrency, f.Env)
}

// source adds an event source of the account's.
func (s *server) source(x trigger.Source) error {
	if s.triggers == nil {
		return errors.New("add a source: the engine has no account")
	}
	return s.triggers.Add(x)
}

// endAccount stops the account's functions, which answers who waits for them,
// and then the endpoint.
func (s *server) endAccount() error {
	s.triggers.Stop()
	err := s.service.Close()
	s.triggers.Wait()
	s.triggers.Latency(s.stderr)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.http.Shutdown(ctx) // for who is still being written to; Close is for the rest
	s.deployer.close()
	return err
}

// deployer opens and deploys what is created through the control API.
type deployer struct {
	server  *server
	account Account

	mu      sync.Mutex
	openers []*image.Opener // of images, whose layers are in use until the end
}

var _ invoke.Deployer = (*deployer)(nil)

// Open takes a zip, or the reference of an image.
func (d *deployer) Open(ctx context.Context, c invoke.Code) (image.Image, error) {
	o := &image.Opener{Copies: filepath.Join(d.account.Copies, "store"), Layers: d.account.Layers, Say: func(m string) { fmt.Fprintln(d.server.stderr, "coldstorm:", m) }}
	d.mu.Lock()
	d.openers = append(d.openers, o)
	d.mu.Unlock()
	if c.Image != "" {
		return o.Open(ctx, c.Image)
	}
	f, err := os.CreateTemp(d.account.Copies, "upload-*.zip")
	if err != nil {
		return image.Image{}, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(c.Zip)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return image.Image{}, fmt.Errorf("keep the zip: %w", err)
	}
	img, err := o.OpenPackage(ctx, image.Package{Path: f.Name(), Runtime: c.Runtime, Handler: c.Handler})
	return img, withoutPath(err)
}

// Deploy starts nothing yet.
func (d *deployer) Deploy(img image.Image, c live.Config) invoke.Deployed {
	s := d.server
	l, extensions, err := s.launcherOf(img)
	if err != nil { // it goes on without extensions, as whoever looks on is told
		fmt.Fprintf(s.stderr, "coldstorm: extensions of %s: %v\n", c.Name, err)
	}
	c.Extensions = extensions
	return live.New(l, c)
}

// Snapshot publishes a version with SnapStart.
func (d *deployer) Snapshot(ctx context.Context, img image.Image, c live.Config) (image.Image, error) {
	l, extensions, err := d.server.launcherOf(img)
	if err != nil {
		return img, err
	}
	c.Extensions = extensions
	return d.server.publish(ctx, l, c)
}

func (d *deployer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.openers {
		o.Close()
	}
}

// withoutPath drops the name of a file that the caller of an API never saw.
func withoutPath(err error) error {
	if h := (*image.Hint)(nil); errors.As(err, &h) {
		return h
	}
	return err
}
