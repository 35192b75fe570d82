package workloads

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// The parts of a scenario, each read, given its defaults, and checked where it
// stands.

func readFunction(s *Scenario, v value) error {
	f := defaultFunction()
	o, err := read(v, "function", functionKeys, &f)
	if err != nil {
		return err
	}
	if err := o.one("workload", "path"); err != nil {
		return err
	}
	if f.Name == "" {
		f.Name = f.defaultName()
	}
	if f.Handler != "" && f.Workload != "" {
		return o.problem("handler", "handler belongs to functions of one's own: a bundled one is a program", "")
	}
	if f.Runtime == "" && f.Workload != "" {
		f.Runtime = DefaultRuntime
	}
	s.Function = f
	return nil
}

func defaultFunction() Function {
	return Function{
		MemoryMB:     DefaultMemoryMB,
		Timeout:      DefaultTimeout,
		KeepAlive:    DefaultKeepAlive,
		Architecture: hostArchitecture(),
		Freeze:       true,
	}
}

// Reference says whether Path, should there be nothing of that name, can be an
// image in a registry: it names a registry, a tag or a digest.
func (f Function) Reference() bool {
	if f.Path == "" || strings.HasPrefix(f.Path, "/") || strings.HasPrefix(f.Path, ".") || strings.ContainsAny(f.Path, " \\") {
		return false
	}
	host, _, found := strings.Cut(f.Path, "/")
	return found && (strings.ContainsAny(host, ".:") || host == "localhost") || strings.ContainsAny(path.Base(f.Path), ":@")
}

// defaultName is the workload's name, or what AWS would allow of the path's
// last element.
func (f Function) defaultName() string {
	if f.Workload != "" {
		return f.Workload
	}
	name := strings.TrimSuffix(strings.TrimSuffix(path.Base(path.Clean(f.Path)), ".zip"), ".tar")
	if f.Reference() {
		name, _, _ = strings.Cut(name, "@")
		name, _, _ = strings.Cut(name, ":")
	}
	name = strings.Trim(strings.Map(func(r rune) rune {
		if functionNaming.MatchString(string(r)) {
			return r
		}
		return '-'
	}, name), "-")
	if !functionNaming.MatchString(name) {
		return "function"
	}
	return name
}

func readTimeout(f *Function, v value) error {
	d, err := v.duration("timeout", MinTimeout, MaxTimeout)
	if err == nil && d%time.Second != 0 {
		err = v.problem(fmt.Sprintf("timeout cannot be %s", d), "AWS Lambda takes whole seconds, from 1s to 900s")
	}
	f.Timeout = d
	return err
}

func readPayloads(s *Scenario, v value) error {
	entries, err := v.list("payloads")
	if err != nil {
		return err
	}
	for _, e := range entries {
		p := Payload{Weight: 1}
		o, err := read(e, "payload", payloadKeys, &p)
		if err != nil {
			return err
		}
		if err := o.one("file", "inline", "size"); err != nil {
			return err
		}
		if err := s.sized(o, p); err != nil {
			return err
		}
		if p.Name == "" {
			p.Name = p.defaultName()
		}
		if slices.ContainsFunc(s.Payloads, func(other Payload) bool { return other.Name == p.Name }) {
			return o.problem("name", fmt.Sprintf("two payloads are named %s", p.Name), "give each a name of its own")
		}
		s.Payloads = append(s.Payloads, p)
	}
	return nil
}

// sized refuses a size that the function's generator does not have.
func (s *Scenario) sized(o object, p Payload) error {
	if p.Size == "" {
		return nil
	}
	if s.Function.Workload == "" {
		return o.problem("size", "size belongs to bundled workloads, which generate their payloads", "give a function of your own a file or inline")
	}
	w, _ := Bundled(s.Function.Workload)
	if !has(w.Sizes, p.Size) {
		return o.problem("size", fmt.Sprintf("unknown size %q of workload %s", p.Size, w.Name), suggest(p.Size, "sizes", w.Sizes))
	}
	return nil
}

func (p Payload) defaultName() string {
	switch {
	case p.Size != "":
		return p.Size
	case p.File != "":
		name := strings.TrimSuffix(path.Base(path.Clean(p.File)), path.Ext(p.File))
		if naming.MatchString(name) {
			return name
		}
		return "file"
	}
	return "inline"
}

// payloadNames are the names that storms and the sweep may use.
func (s *Scenario) payloadNames() []string {
	var all []string
	for _, p := range s.Payloads {
		all = append(all, p.Name)
	}
	return all
}

// known refuses a name that no payload has.
func (s *Scenario) known(v value, name string) error {
	if all := s.payloadNames(); !has(all, name) {
		return v.problem(fmt.Sprintf("no payload is named %q", name), suggest(name, "payloads", all))
	}
	return nil
}

func readStorms(s *Scenario, v value) error {
	s.defaultPayload()
	entries, err := v.list("storms")
	if err != nil {
		return err
	}
	for _, e := range entries {
		st := Storm{Fresh: true}
		o, err := read(e, "storm", stormKeys, &st, "shape")
		if err != nil {
			return err
		}
		if err := s.checkStorm(o, &st); err != nil {
			return err
		}
		s.Storms = append(s.Storms, st)
	}
	return nil
}

// defaultPayload gives a scenario without payloads the workload's smallest, or
// an empty event to a function of one's own.
func (s *Scenario) defaultPayload() {
	if len(s.Payloads) > 0 {
		return
	}
	p := Payload{Name: "empty", Inline: "{}", Weight: 1}
	if w, ok := Bundled(s.Function.Workload); ok {
		p = Payload{Name: w.Sizes[0], Size: w.Sizes[0], Weight: 1}
	}
	s.Payloads = []Payload{p}
}

func readSweep(s *Scenario, v value) error {
	s.defaultPayload()
	s.Sweep.Repeats = DefaultRepeats
	o, err := read(v, "sweep", sweepKeys, &s.Sweep, "burst")
	if err != nil {
		return err
	}
	if s.Sweep.Payload == "" {
		s.Sweep.Payload = s.Payloads[0].Name
	}
	if !o.has("payload") {
		return nil
	}
	return s.known(o.fields["payload"].value, s.Sweep.Payload)
}

func readModels(s *Scenario, v value) (err error) {
	s.Models, err = modelsIn(v, "models", AllModels)
	return err
}

func readLive(s *Scenario, v value) (err error) {
	s.Live, err = modelsIn(v, "live", LiveModels)
	return err
}

// modelsIn reads a list of models, or all for as many as are allowed.
func modelsIn(v value, key string, allowed []Model) (list []Model, err error) {
	if text, err := v.text(key); err == nil {
		if text != "all" {
			return nil, v.problem(fmt.Sprintf("%s cannot be %q", key, text), "write all, or a list such as [lambda, ec2]")
		}
		return slices.Clone(allowed), nil
	}
	entries, err := v.list(key)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, v.problem(key+" names none", "remove the key, or write all")
	}
	for _, e := range entries {
		w, err := e.word("model", "models", words(allowed))
		if err != nil {
			return nil, err
		}
		if has(list, Model(w)) {
			return nil, e.problem(fmt.Sprintf("%s names %s twice", key, w), "")
		}
		list = append(list, Model(w))
	}
	return list, nil
}

func readProject(s *Scenario, v value) error {
	o, err := read(v, "project", projectKeys, &s.Project)
	if err != nil {
		return err
	}
	p := &s.Project
	if p.SlowStart > 0 && p.Balancer != BalancerRoundRobin {
		return o.problem("slow_start", "slow_start needs balancer: round-robin", "a balancer that chooses by outstanding requests has none (AWS: target groups)")
	}
	if p.RestartBackoffMax > 0 && p.RestartBackoffMax < cmp.Or(p.RestartBackoff, restartBackoff) {
		return o.problem("restart_backoff_max", "restart_backoff_max is less than restart_backoff",
			fmt.Sprintf("the wait begins with restart_backoff (%v by default) and doubles up to restart_backoff_max", restartBackoff))
	}
	return nil
}
