package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/image"
	"coldstorm/runtime/invoke"
	"coldstorm/runtime/launch"
	"coldstorm/runtime/live"
	"coldstorm/runtime/live/fleet"
	"coldstorm/runtime/trigger"
)

// server is the engine's process.
type server struct {
	launcher    *launch.Launcher
	launcherPID int
	meters      meters
	total       total
	unfreeze    func() error
	http        *http.Server
	service     *invoke.Service // nil without an account, as are the next two
	deployer    *deployer
	triggers    *trigger.Sources
	attached    atomic.Pointer[attached] // without an account; nil: none
	url         string
	supervisor  supervisor
	snapshots   snapshots
	log         io.Writer // of functions; nil for none
	stderr      io.Writer // complaints
	pool        int       // sandboxes that the launcher keeps ready

	out      sync.Mutex // held while a line is written
	encoder  *json.Encoder
	commands sync.WaitGroup
	closing  sync.Once

	deploying sync.Mutex // held by deploy, discard and close
	mu        sync.RWMutex
	name      string
	function  *live.Function // nil before the first deploy, or of containers
	fleet     *fleet.Fleet   // of containers
	beside    map[string]*live.Function
	before    time.Duration // processor time of earlier deployments
	census    chan struct{} // closed to end the census; nil if there is none
}

// Serve is the engine's process: it reads commands from in and writes replies to
// out until in ends, a close command or SIGTERM, and returns when nothing of
// what it started is left. The result is the process's exit code. Complaints go
// to stderr.
func Serve(in io.Reader, out, stderr io.Writer) int {
	// Caught, not ignored: children would inherit that. SIGPIPE is how a write
	// to a generator that died would end this process before it has cleaned up.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE)
	defer signal.Stop(signals)

	// Half of the processors: functions want the rest, and goroutines that are
	// handed from one thread to the next cost an invocation more than they gain.
	// On two cores a warm invocation took 0.84 ms with both and 0.63 ms with one
	// (medians of three interleaved pairs).
	runtime.GOMAXPROCS(max(1, runtime.NumCPU()/2))
	debug.SetGCPercent(400) // the heap is small, and a collection competes with functions for processors

	s := &server{encoder: json.NewEncoder(out), stderr: stderr}
	lines := bufio.NewReaderSize(in, 64<<10)
	if err := s.begin(lines, stderr); err != nil {
		s.encoder.Encode(hello{Error: err.Error()})
		return 1
	}
	ended := make(chan command, 1)
	go func() { ended <- s.listen(lines) }()
	var last command
wait:
	for {
		select {
		case last = <-ended:
			break wait
		case sig := <-signals:
			if sig == unix.SIGTERM {
				break wait
			}
		}
	}
	err := s.end()
	if last.Verb == verbClose {
		s.reply(last.ID, err)
	}
	if err != nil {
		fmt.Fprintln(stderr, "engine:", err)
		return 1
	}
	return 0
}

// begin starts the launcher and the endpoint, and says hello.
func (s *server) begin(in *bufio.Reader, stderr io.Writer) error {
	var c setup
	if err := readLine(in, &c); err != nil {
		return fmt.Errorf("read setup: %w", err)
	}
	if c.Log {
		s.log = os.NewFile(logFD, "function log")
		unix.CloseOnExec(logFD)
	}
	s.pool = c.Pool
	l, err := launch.Start(launch.Config{Args: c.LauncherArgs, Pool: c.Pool, Rootless: c.Rootless, Runtime: c.Runtime, Stderr: stderr})
	if err != nil {
		return err
	}
	s.launcher, s.launcherPID = l, onlyChild()
	address := "127.0.0.1:0"
	if c.Account != nil && c.Account.Listen != "" {
		address = c.Account.Listen
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	s.meters, s.unfreeze = findMeters(), holdFreezer()
	s.total.cpu = s.meters.cpu
	url := "http://" + listener.Addr().String()
	s.url = url
	if c.Account == nil {
		s.http = &http.Server{Handler: s.endpoint()}
	} else {
		s.service = s.beginAccount(*c.Account, url)
		s.http = accountServer(s.triggers.Handler(s.service))
	}
	go s.http.Serve(listener)
	host := l.Host()
	return s.encoder.Encode(hello{URL: url, Host: &host})
}

// logFD is the descriptor of the functions' log.
const logFD = 3

func readLine(in *bufio.Reader, v any) error {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}

// listen obeys commands until close, which it returns, or the end of input.
func (s *server) listen(in *bufio.Reader) command {
	for {
		var c command
		if err := readLine(in, &c); err != nil {
			return command{}
		}
		switch c.Verb {
		case verbClose:
			return c
		case verbCensus:
			s.watch(c.Every)
			s.reply(c.ID, nil)
		default:
			s.commands.Add(1)
			go func() {
				defer s.commands.Done()
				s.reply(c.ID, s.obey(c))
			}()
		}
	}
}

func (s *server) obey(c command) error {
	switch {
	case c.Verb == verbDeploy && c.Function != nil:
		return s.deploy(*c.Function)
	case c.Verb == verbBeside && c.Function != nil:
		return s.deployBeside(*c.Function)
	case c.Verb == verbAdd && c.Function != nil:
		return s.add(*c.Function)
	case c.Verb == verbSource && c.Source != nil:
		return s.source(*c.Source)
	case c.Verb == verbAttach && c.Events != nil:
		return s.attach(*c.Events)
	case c.Verb == verbDetach:
		s.detach()
		return nil
	case c.Verb == verbKill && c.Kill != nil:
		return s.kill(*c.Kill)
	case c.Verb == verbStates:
		return s.tellStates()
	case c.Verb == verbDiscard:
		s.deploying.Lock()
		defer s.deploying.Unlock()
		for _, f := range s.deployed() {
			f.Discard()
		}
		return nil
	}
	return fmt.Errorf("unknown command %q", c.Verb)
}

func (s *server) deploy(f Function) error {
	if err := f.check(); err != nil {
		return err
	}
	s.deploying.Lock()
	defer s.deploying.Unlock()
	err := s.retire()
	if f.Containers != nil {
		return errors.Join(err, s.deployContainers(f))
	}
	config := f.config(s.log)
	l, names, no := s.launcherOf(f.Image)
	if no != nil {
		return errors.Join(err, no)
	}
	config.Extensions = names
	if f.SnapStart {
		if l.image, no = s.publish(context.Background(), l, config); no != nil {
			return errors.Join(err, no)
		}
	}
	function := live.New(l, config)
	if s.pool > 0 {
		if err2 := s.launcher.Fill(l.next(function)); err2 != nil { // launches go on without, and say so by their mode
			fmt.Fprintln(s.stderr, "engine:", err2)
		}
	}
	if f.Standing != nil {
		ctx, cancel := context.WithTimeout(context.Background(), standTime)
		defer cancel()
		if no := function.Stand(ctx); no != nil {
			return errors.Join(err, fmt.Errorf("deploy %s: %w", f.Name, no), function.Close())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name, s.function = f.Name, function
	return err
}

// launcherOf starts environments of an image, with the extensions that are in it.
func (s *server) launcherOf(img image.Image) (launcher, []string, error) {
	img, names, err := supervised(img, &s.supervisor)
	return launcher{
		launch: s.launcher, meters: s.meters, total: &s.total, image: img, tmps: &tmps{}, supervisor: &s.supervisor, extended: len(names) > 0,
	}, names, err
}

func (s *server) reply(id int64, err error) {
	m := message{Reply: id}
	if err != nil {
		m.Error = err.Error()
	}
	s.send(m)
}

func (s *server) send(m message) {
	s.out.Lock()
	defer s.out.Unlock()
	s.encoder.Encode(m) // a client that is gone is noticed at the end of stdin
}

// end stops everything and waits for it.
func (s *server) end() (err error) {
	s.closing.Do(func() {
		s.watch(0)
		s.commands.Wait()
		s.deploying.Lock()
		defer s.deploying.Unlock()
		if s.service != nil {
			err = s.endAccount()
		}
		err = errors.Join(err, s.retire(), s.http.Close(), s.launcher.Close(), s.unfreeze(), s.supervisor.remove(), s.snapshots.remove())
	})
	return err
}

// watch sends a census at every interval, from now until it is called again; 0
// sends none.
func (s *server) watch(every time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.census != nil {
		close(s.census)
		s.census = nil
	}
	if every <= 0 {
		return
	}
	stop := make(chan struct{})
	s.census = stop
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			c := s.count()
			s.send(message{Census: &c})
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
}
