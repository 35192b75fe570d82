package engine

import (
	"errors"
	"fmt"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/invoke"
	"coldstorm/runtime/live"
)

// One function is deployed, and any number beside it: copies of it, say, over
// which a storm is spread. They come and go together.

// deployBeside deploys f beside what is deployed. The pool is as that needs it.
func (s *server) deployBeside(f Function) error {
	if err := f.check(); err != nil {
		return err
	}
	s.deploying.Lock()
	defer s.deploying.Unlock()
	if s.lookup(f.Name) != nil {
		return fmt.Errorf("deploy %s: there is one of that name", f.Name)
	}
	if f.SnapStart {
		return fmt.Errorf("deploy %s: no SnapStart beside another function", f.Name)
	}
	config := f.config(s.log)
	l, names, err := s.launcherOf(f.Image)
	if err != nil {
		return err
	}
	config.Extensions = names
	function := live.New(l, config)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beside == nil {
		s.beside = map[string]*live.Function{}
	}
	s.beside[f.Name] = function
	return nil
}

// retire closes what is deployed, if anything is. Its logs' errors are returned.
func (s *server) retire() (err error) {
	if a := s.attached.Swap(nil); a != nil {
		a.stop()
		defer a.sources.Wait() // what is under way fails as its function is closed
	}
	if f := s.currentFleet(); f != nil {
		err = f.Close()
		used := f.Census().CPU
		s.mu.Lock()
		s.before, s.fleet = s.before+used, nil
		s.mu.Unlock()
	}
	for _, f := range s.deployed() {
		if e := f.Close(); e != nil {
			err = errors.Join(err, fmt.Errorf("function log: %w", e))
		}
		used := f.Census().CPU
		s.mu.Lock()
		s.before += used
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name, s.function, s.beside = "", nil, nil
	return err
}

// deployed lists the functions.
func (s *server) deployed() (all []*live.Function) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.function != nil {
		all = append(all, s.function)
	}
	for _, f := range s.beside {
		all = append(all, f)
	}
	return all
}

func (s *server) lookup(name string) invoke.Function {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if f, ok := s.beside[name]; ok {
		return f
	}
	if s.function == nil || name != s.name {
		return nil
	}
	return s.function
}

// count is the census of all functions together.
func (s *server) count() Census {
	s.mu.RLock()
	before := s.before
	s.mu.RUnlock()
	c := Census{At: results.Now(), EngineCPU: ownCPU(), LauncherCPU: processCPU(s.launcherPID)}
	cpu := before
	for _, f := range s.deployed() {
		cpu += c.add(f.Census())
	}
	if f := s.currentFleet(); f != nil {
		cpu += c.countFleet(f)
	}
	c.FunctionsCPU = cpu
	if all, known := s.total.read(); known {
		c.FunctionsCPU = all
	}
	return c
}

// add counts a function in and returns its processor time.
func (c *Census) add(f live.Census) time.Duration {
	c.At, c.Age = f.At, f.Age
	c.Starting += f.Units.Starting
	c.Idle += f.Units.Idle
	c.Busy += f.Units.Busy
	c.Queued += f.Queued
	c.Offered += f.Counts.Offered
	c.Served += f.Counts.Served
	c.Throttled += f.Counts.Throttled
	c.Failed += f.Counts.Failed
	c.TimedOut += f.Counts.TimedOut
	c.InFlight += f.Counts.InFlight
	return f.CPU
}
