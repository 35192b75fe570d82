package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live/fleet"
)

// contain deploys the bootstrap in containers.
func contain(t testing.TB, e *Engine, f Function, c Containers) {
	t.Helper()
	if c.Speed == 0 {
		c.Speed = 60
	}
	f.Containers = &c
	deploy(t, e, f)
}

// balance sends a request to the load balancer.
func balance(t testing.TB, e *Engine, method, path, body string) answer {
	t.Helper()
	req, err := http.NewRequest(method, e.BalancerURL("f")+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(b)}
	if a.evidence, err = results.ParseEvidence(res.Header.Get(results.EvidenceHeader)); err != nil {
		t.Fatal(err)
	}
	return a
}

// counted waits for a census that ok is content with, the last of which is returned.
func counted(t testing.TB, e *Engine, ok func(Census) bool) (last Census) {
	t.Helper()
	found := make(chan Census, 1)
	stop, err := e.Watch(5*time.Millisecond, func(c Census) {
		if ok(c) {
			select {
			case found <- c:
			default:
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	select {
	case last = <-found:
	case <-e.Done():
		t.Fatal("the engine ended")
	}
	return last
}

// spread are rules of n units on nodes of per each.
func spread(n, per, slots int) fleet.Rules {
	return fleet.Rules{Slots: slots, Min: n, PerNode: per, Place: fleet.PlaceSpread, Nodes: fleet.NodesCapacityProvider, RoundRobin: true}
}

// The package that serves as a Lambda function serves in containers, unchanged: by the
// Runtime API, in several slots of a runtime that has one loop, and by HTTP.
func TestTheSamePackageServesInContainers(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		mode  string
		serve fleet.Serve
		want  fleet.Serve
	}{
		{"found by its ask for work", "", fleet.ServeAny, fleet.ServeRuntime},
		{"found by its server", "http", fleet.ServeAny, fleet.ServeHTTP},
		{"stated to be a server", "http", fleet.ServeHTTP, fleet.ServeHTTP},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			e := begin(t, Config{Pool: 1})
			contain(t, e, Function{Env: map[string]string{"MODE": tt.mode}}, Containers{Rules: spread(2, 1, 3), Serve: tt.serve})
			var all sync.WaitGroup
			units, nodes := sync.Map{}, sync.Map{}
			for i := range 24 {
				all.Go(func() {
					a := balance(t, e, "POST", "echo?i=1", fmt.Sprint(i))
					if a.status != 200 || a.body != fmt.Sprint(i) || a.evidence.Start != results.StartWarm {
						t.Errorf("%+v", a)
					}
					sums(t, a.evidence)
					units.Store(a.evidence.Environment, true)
					nodes.Store(a.evidence.Node, true)
				})
			}
			all.Wait()
			if n, m := size(&units), size(&nodes); n != 2 || m != 2 {
				t.Errorf("%d units on %d nodes served", n, m)
			}
			c := counted(t, e, func(c Census) bool { return c.InFlight == 0 && c.Idle == 2 })
			if c.Serve != tt.want || c.Offered != 24 || c.Served != 24 || c.Nodes != 2 {
				t.Errorf("census %+v", c)
			}
		})
	}
}

func size(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

func TestAServersAnswersPassAsTheyAre(t *testing.T) {
	e := begin(t, Config{})
	contain(t, e, Function{Env: map[string]string{"MODE": "http"}}, Containers{Rules: fleet.Rules{Min: 1}})
	if a := balance(t, e, "GET", "teapot", ""); a.status != 418 || a.header.Get("X-Method") != "GET" {
		t.Errorf("%+v", a)
	}
	if a := balance(t, e, "POST", "crash", ""); a.status != 502 || a.header.Get(results.ReasonHeader) != "BadGateway" {
		t.Errorf("%+v", a)
	}
	c := counted(t, e, func(c Census) bool { return c.Idle == 1 && c.Crashed == 1 })
	if c.Lost != 1 || c.Started != 2 {
		t.Errorf("census %+v", c)
	}
	if res, err := http.Get(e.URL() + "/balancer/other/"); err != nil || res.StatusCode != 404 {
		t.Errorf("of a function that is not there: %v, %v", res, err)
	}
}

func TestAFunctionThatNeverServesIsSaidWhy(t *testing.T) {
	e := begin(t, Config{})
	img, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	f := Function{Name: "f", Image: img, Env: map[string]string{"MODE": "exit"}, Containers: &Containers{Rules: fleet.Rules{Min: 1}, Speed: 1000}}
	if err := e.Deploy(f); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
}

// A node that dies under load is replaced, and so is a container, and every request has
// an answer.
func TestWhatDiesUnderLoadIsReplacedAndCounted(t *testing.T) {
	e := begin(t, Config{Pool: 1})
	contain(t, e, Function{}, Containers{Rules: spread(8, 2, 1), Node: fleet.Size{CPUs: 0.5, MemoryBytes: 256 << 20}})
	l := loaded(t, e)
	if err := e.KillNode(0); err != nil {
		t.Fatal(err)
	}
	counted(t, e, func(c Census) bool { return c.Losses[0].Back != 0 })
	if err := e.KillUnit(0); err != nil {
		t.Fatal(err)
	}
	c := counted(t, e, func(c Census) bool { return len(c.Losses) == 2 && c.Losses[1].Back != 0 })
	l.end(t, e)
	if c.Idle+c.Busy != 8 || c.Nodes != 4 || c.Losses[0].Units != 2 || c.Losses[0].Lost == 0 {
		t.Errorf("census %+v", c)
	}
	if err := e.KillNode(99); err == nil {
		t.Error("a node that is not there was killed")
	}
}

// load is requests that go on until its end.
type load struct {
	stop     chan struct{}
	all      sync.WaitGroup
	mu       sync.Mutex
	statuses map[int]int
}

// loaded sends requests from four callers, one after the other.
func loaded(t testing.TB, e *Engine) *load {
	l := &load{stop: make(chan struct{}), statuses: map[int]int{}}
	for range 4 {
		l.all.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				a := balance(t, e, "POST", "", "1")
				l.mu.Lock()
				l.statuses[a.status]++
				l.mu.Unlock()
			}
		})
	}
	return l
}

// end ends it, and holds that every request was answered, as the engine counted it.
func (l *load) end(t testing.TB, e *Engine) {
	close(l.stop)
	l.all.Wait()
	c := counted(t, e, func(c Census) bool { return c.InFlight == 0 })
	if l.statuses[200] != c.Served || l.statuses[502] != c.Lost || len(l.statuses) > 2 || c.Offered != c.Served+c.Failed {
		t.Errorf("callers saw %v, the engine counted %+v", l.statuses, c)
	}
}

// TestTwoHundredContainersOnEightNodes is the live fleet: a node of eight dies, every
// request is accounted for, and capacity comes back by the scaler's own rules.
func TestTwoHundredContainersOnEightNodes(t *testing.T) {
	e := begin(t, Config{})
	at := time.Now()
	contain(t, e, Function{}, Containers{Rules: spread(200, 25, 1), Node: fleet.Size{CPUs: 0.25, MemoryBytes: 512 << 20}})
	t.Logf("200 containers on 8 nodes after %v", time.Since(at).Round(time.Millisecond))
	l := loaded(t, e)
	if err := e.KillNode(0); err != nil {
		t.Fatal(err)
	}
	c := counted(t, e, func(c Census) bool { return c.Losses[0].Back != 0 })
	l.end(t, e)
	x := c.Losses[0]
	if c.Idle+c.Busy != 200 || c.Nodes != 8 || x.Units != 25 || x.Ready != 200 {
		t.Errorf("census %+v", c)
	}
	t.Logf("noticed after %v, back after %v; %d requests lost, %d served meanwhile", x.Noticed.Sub(x.Killed), x.Back.Sub(x.Killed), x.Lost, x.Served)
	if e.Host().Limits() && c.Unlimited {
		t.Error("nodes are unlimited on a host with limits")
	}
}

// TestNothingIsLeftOfAFleetWhoseEngineWasKilled kills the engine's process: its launcher
// sees that, and ends all.
func TestNothingIsLeftOfAFleetWhoseEngineWasKilled(t *testing.T) {
	e, err := Start(context.Background(), Config{})
	if err != nil {
		begin(t, Config{}) // which says so
	}
	contain(t, e, Function{}, Containers{Rules: spread(4, 2, 1)})
	a := balance(t, e, "POST", "", `"environ"`)
	var text string
	if err := json.Unmarshal([]byte(a.body), &text); err != nil || !strings.Contains(text, "PORT=8080") {
		t.Errorf("environ %q, error %v", a.body, err)
	}
	before := fleetCgroups(t)
	e.cmd.Process.Kill()
	<-e.Done()
	for len(fleetCgroups(t)) > 0 && e.Host().Limits() { // the launcher's end is not ours to wait for
		time.Sleep(time.Millisecond)
	}
	if len(before) == 0 && e.Host().Limits() {
		t.Error("no node's cgroup was found while nodes were up")
	}
	e.Close() // says how it ended
}

// fleetCgroups lists the cgroups of nodes.
func fleetCgroups(t testing.TB) (list []string) {
	for _, pattern := range []string{"/sys/fs/cgroup/memory", "/sys/fs/cgroup"} {
		filepath.WalkDir(pattern, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), "n.n") && strings.Contains(path, "/coldstorm-") {
				list = append(list, path)
			}
			return nil
		})
	}
	return list
}

func TestAnEngineTellsHowLongItsContainersWereInEachState(t *testing.T) {
	e := begin(t, Config{Pool: 1})
	if _, err := e.States(); err == nil {
		t.Error("states without containers")
	}
	contain(t, e, Function{}, Containers{Service: fleet.ServiceEKS, Rules: spread(2, 1, 1)})
	states, err := e.States()
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]results.StateTime{}
	for _, s := range states {
		rows[s.Of+" "+s.State] = s
	}
	if made := rows["pod ContainerCreating"].Time; made.N != 2 || made.Min <= 0 {
		t.Errorf("containers were made in no time: %+v", states)
	}
	if r := rows["pod Ready"]; r.Units != 2 || r.Still != 2 || rows["pod Running, not ready"].Time.Min <= 0 || rows["instance running"].Still != 2 {
		t.Errorf("%+v", states)
	}
}
