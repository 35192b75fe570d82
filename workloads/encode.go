package workloads

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Canonical writes the scenario out as a file with every value spelled out, so
// that it does not depend on defaults. Parse makes the same scenario of it, but
// for Source and Dir. What changes a scenario in code sets Source to it.
func (s Scenario) Canonical() []byte {
	w := &writer{}
	w.line(0, "name: %s", text(s.Name))
	w.line(0, "seed: %d", s.Seed)
	w.function(s.Function)
	w.line(0, "payloads:")
	for _, p := range s.Payloads {
		w.payload(p)
	}
	if len(s.Storms) > 0 {
		w.line(0, "storms:")
	}
	for _, st := range s.Storms {
		w.storm(st)
	}
	if len(s.Sweep.Burst) > 0 {
		w.line(0, "sweep: {burst: [%s], repeats: %d, payload: %s}", join(s.Sweep.Burst, strconv.Itoa), s.Sweep.Repeats, text(s.Sweep.Payload))
	}
	w.line(0, "models: [%s]", join(s.Models, func(m Model) string { return string(m) }))
	if len(s.Live) > 0 {
		w.line(0, "live: [%s]", join(s.Live, func(m Model) string { return string(m) }))
	}
	w.project(s.Project)
	return []byte(w.String())
}

type writer struct{ strings.Builder }

func (w *writer) line(indent int, format string, args ...any) {
	w.WriteString(strings.Repeat("  ", indent))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

func (w *writer) function(f Function) {
	w.line(0, "function:")
	if f.Workload != "" {
		w.line(1, "workload: %s", text(f.Workload))
	} else {
		w.line(1, "path: %s", text(f.Path))
	}
	w.line(1, "name: %s", text(f.Name))
	w.line(1, "memory: %dMB", f.MemoryMB)
	w.line(1, "timeout: %s", f.Timeout)
	w.line(1, "concurrency: %d", f.Concurrency)
	w.line(1, "keep_alive: %s", f.KeepAlive)
	w.line(1, "architecture: %s", f.Architecture)
	w.line(1, "freeze: %t", f.Freeze)
	if f.SnapStart {
		w.line(1, "snapstart: true")
	}
	if f.Runtime != "" {
		w.line(1, "runtime: %s", text(f.Runtime))
	}
	if f.Handler != "" {
		w.line(1, "handler: %s", text(f.Handler))
	}
	if len(f.Env) > 0 {
		w.line(1, "env:")
		for _, k := range slices.Sorted(maps.Keys(f.Env)) {
			w.line(2, "%s: %s", text(k), text(f.Env[k]))
		}
	}
}

func (w *writer) payload(p Payload) {
	w.line(1, "- name: %s", text(p.Name))
	switch {
	case p.File != "":
		w.line(2, "file: %s", text(p.File))
	case p.Size != "":
		w.line(2, "size: %s", text(p.Size))
	default:
		w.line(2, "inline: %s", text(p.Inline))
	}
	w.line(2, "weight: %d", p.Weight)
}

func (w *writer) storm(st Storm) {
	w.line(1, "- name: %s", text(st.Name))
	w.schedule(2, st)
	if !st.Trigger.Direct() {
		w.line(2, "trigger: %s", st.Trigger.written())
	}
	if len(st.Payloads) > 0 {
		w.line(2, "payloads: [%s]", join(st.Payloads, text))
	}
	if st.KeepAlive != nil {
		w.line(2, "keep_alive: %s", *st.KeepAlive)
	}
	if st.Concurrency != nil {
		w.line(2, "concurrency: %d", *st.Concurrency)
	}
	w.line(2, "warm: %d", st.Warm)
	w.line(2, "fresh: %t", st.Fresh)
}

func (w *writer) project(p Project) {
	w.line(0, "project:")
	w.line(1, "rate: %s", perSecond(p.Rate))
	w.line(1, "objective: %s", p.Objective)
	w.line(1, "region: %s", p.Region)
	w.line(1, "rates: [%s]", join(p.Rates, perSecond))
	if p.Instance != "" {
		w.line(1, "instance: %s", p.Instance)
	}
	for _, s := range []struct{ key, word string }{
		{"scaling", p.Scaling}, {"nodes", p.Nodes}, {"placement", p.Placement}, {"balancer", p.Balancer},
	} {
		if s.word != "" {
			w.line(1, "%s: %s", s.key, s.word)
		}
	}
	if p.Zones > 0 {
		w.line(1, "zones: %d", p.Zones)
	}
	if p.SlowStart > 0 {
		w.line(1, "slow_start: %s", p.SlowStart)
	}
	if p.HealthInterval > 0 {
		w.line(1, "health_interval: %s", p.HealthInterval)
	}
	if p.Unhealthy > 0 {
		w.line(1, "unhealthy_after: %d", p.Unhealthy)
	}
	for _, d := range []struct {
		key string
		of  time.Duration
	}{
		{"restart_backoff", p.RestartBackoff},
		{"restart_backoff_max", p.RestartBackoffMax},
		{"restart_backoff_reset", p.RestartBackoffReset},
		{"deregistration_delay", p.DeregistrationDelay},
		{"stop_timeout", p.StopTimeout},
		{"stop_time", p.StopTime},
	} {
		if d.of > 0 {
			w.line(1, "%s: %s", d.key, d.of)
		}
	}
	if p.ImageCache != "" {
		w.line(1, "image_cache: %s", p.ImageCache)
	}
	if p.ImageMB > 0 {
		w.line(1, "image_mb: %d", p.ImageMB)
	}
	if p.WarmPool > 0 {
		w.line(1, "warm_pool: %d", p.WarmPool)
	}
	if p.WarmPoolState != "" {
		w.line(1, "warm_pool_state: %s", p.WarmPoolState)
	}
	w.line(1, "cpu_factor: %s", decimal(p.CPUFactor))
}

// text quotes in YAML's double quotes. JSON's escapes are a part of YAML's, and
// Go's of printable text are JSON's but for \x, \a and \v, which YAML has too.
func text(s string) string { return strconv.Quote(s) }

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func perSecond(r float64) string { return decimal(r) + "/s" }

func join[T any](list []T, write func(T) string) string {
	var all []string
	for _, e := range list {
		all = append(all, write(e))
	}
	return strings.Join(all, ", ")
}
