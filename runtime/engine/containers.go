package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/invoke"
	"coldstorm/runtime/live"
	"coldstorm/runtime/live/fleet"
	"coldstorm/runtime/plane"
)

// Containers has a function run as containers or instances behind a load balancer, in
// the place of execution environments. Zero values are fleet.Config's.
type Containers struct {
	Service fleet.Service `json:"service,omitempty"` // whose states units go through
	Rules   fleet.Rules   `json:"rules"`
	Speed   int           `json:"speed,omitempty"` // of the rules' clock

	Serve fleet.Serve `json:"serve,omitempty"`
	Port  int         `json:"port,omitempty"`
	Path  string      `json:"path,omitempty"`

	Unit     fleet.Size `json:"unit"`
	Node     fleet.Size `json:"node"`
	UnitNode bool       `json:"unit_node,omitempty"`

	Health fleet.Health `json:"health"`

	RequestTimeout time.Duration `json:"request_timeout_ns,omitempty"`
	Pull           time.Duration `json:"pull_ns,omitempty"`
	Boot           time.Duration `json:"boot_ns,omitempty"`
}

func (c Containers) config(f live.Config) fleet.Config {
	return fleet.Config{
		Config: f, Service: c.Service, Rules: c.Rules, Speed: c.Speed, Serve: c.Serve, Port: c.Port, Path: c.Path, Unit: c.Unit, Node: c.Node, UnitNode: c.UnitNode,
		Health: c.Health, RequestTimeout: c.RequestTimeout, Pull: c.Pull, Boot: c.Boot,
	}
}

// standTime bounds how long units that stand before the first request may take to be
// ready: for 200 of them on two cores it is seconds.
const standTime = 5 * time.Minute

// deployContainers starts a fleet, and returns when the units that stand are ready.
func (s *server) deployContainers(f Function) error {
	l := containers{launcher{launch: s.launcher, meters: s.meters, total: &s.total, image: f.Image, tmps: &tmps{}, supervisor: &s.supervisor}}
	made, err := fleet.New(l, f.Containers.config(f.config(s.log)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), standTime)
	defer cancel()
	if err := made.Wait(ctx, 0); err != nil {
		return errors.Join(fmt.Errorf("deploy %s: %w", f.Name, err), made.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name, s.fleet = f.Name, made
	return nil
}

func (s *server) currentFleet() *fleet.Fleet {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.fleet
}

// kill ends a node or a unit of what is deployed.
func (s *server) kill(k killing) error {
	f := s.currentFleet()
	if f == nil {
		return errors.New("kill: no containers are deployed")
	}
	var err error
	if k.OfUnit {
		_, err = f.KillUnit(plane.Unit(k.Number))
	} else {
		_, err = f.KillNode(plane.Node(k.Number))
	}
	if err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	return nil
}

// tellStates sends the client how long units and nodes were in each state.
func (s *server) tellStates() error {
	f := s.currentFleet()
	if f == nil {
		return errors.New("states: no containers are deployed")
	}
	s.send(message{States: f.States()})
	return nil
}

// States are the times that the units and nodes of the deployed containers have been in
// each state since Deploy.
func (e *Engine) States() ([]results.StateTime, error) {
	err := e.ask(command{Verb: verbStates})
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.states, err
}

// containers starts those of one image.
type containers struct{ launcher }

var _ fleet.Launcher = containers{}

// Launch starts one with all processors of its node, until its unit is ready.
func (c containers) Launch(ctx context.Context, s fleet.Spec) (live.Sandbox, error) {
	spec := c.spec(s.Spec)
	spec.MemoryBytes, spec.Node = s.Size.MemoryBytes, s.Node
	spec.Writable = c.image.Kind == image.KindContainer && c.launch.Host().Overlay.OK // as a container's root is
	return c.wrap(c.launch.Launch(ctx, spec))
}

func (c containers) StartNode(name string, size fleet.Size) (bool, error) {
	return c.launch.StartNode(name, size.CPUs, size.MemoryBytes)
}

func (c containers) StopNode(name string) error { return c.launch.StopNode(name) }

// balancerPath leads to the load balancer of a function in containers.
const balancerPath = "/balancer/"

// BalancerURL is the load balancer of the deployed function with this name, if it runs
// as Containers: any path below it goes to a unit.
func (e *Engine) BalancerURL(name string) string {
	return e.hello.URL + balancerPath + url.PathEscape(name) + "/"
}

// KillNode ends a node of the deployed containers with all that it holds, without a
// word to what decides: it has to be noticed. Of 0 it is the one that holds most; of
// instances, any.
func (e *Engine) KillNode(number int) error {
	return e.ask(command{Verb: verbKill, Kill: &killing{Number: number}})
}

// KillUnit ends one container; of 0, any that is ready.
func (e *Engine) KillUnit(number int) error {
	return e.ask(command{Verb: verbKill, Kill: &killing{Number: number, OfUnit: true}})
}

// endpoint is what the engine answers requests with: the Invoke API, and the load
// balancer of containers.
func (s *server) endpoint() http.Handler {
	api := invoke.Handler{Lookup: s.lookup}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.Path, balancerPath)
		if !ok {
			if a := s.attached.Load(); a != nil {
				a.handler.ServeHTTP(w, r)
				return
			}
			api.ServeHTTP(w, r)
			return
		}
		name, path, _ := strings.Cut(rest, "/")
		s.mu.RLock()
		f := s.fleet
		if name != s.name {
			f = nil
		}
		s.mu.RUnlock()
		if f == nil {
			http.Error(w, "no load balancer of "+name, http.StatusNotFound)
			return
		}
		r.URL.Path, r.URL.RawPath = "/"+path, ""
		f.ServeHTTP(w, r)
	})
}

// countFleet counts a fleet, which is alone, and returns the processor time of its units
// that have ended.
func (c *Census) countFleet(f *fleet.Fleet) time.Duration {
	now := f.Census()
	c.At = now.At
	c.Starting, c.Idle, c.Busy, c.Queued, c.Nodes = now.Units.Starting, now.Units.Idle, now.Units.Busy, now.Units.Queued, now.Units.Nodes
	c.Offered, c.Served, c.Throttled = now.Counts.Offered, now.Counts.Served, now.Counts.Throttled
	c.Failed, c.TimedOut, c.InFlight, c.Lost = now.Counts.Failed, now.Counts.TimedOut, now.Counts.InFlight, now.Counts.Lost
	c.Started, c.Crashed, c.Unlimited = now.Started, now.Crashed, f.Unlimited()
	c.Losses, c.Age = f.Losses(), now.Age
	c.Serve = cmp.Or(f.Serves(), f.Config().Serve)
	return now.CPU
}
