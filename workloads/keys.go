package workloads

import (
	"slices"
)

// The tables below are the form of a scenario file: every key there is and how
// it is read. scenario.schema.json says the same to editors; a test holds the
// two together.

var scenarioKeys = []key[Scenario]{
	{"name", func(s *Scenario, v value) (err error) { s.Name, err = v.name("name"); return }},
	{"seed", func(s *Scenario, v value) (err error) { s.Seed, err = v.whole("seed", -1<<62, 1<<62); return }},
	{"function", readFunction},
	{"payloads", readPayloads},
	{"storms", readStorms},
	{"sweep", readSweep},
	{"models", readModels},
	{"live", readLive},
	{"project", readProject},
}

var functionKeys = []key[Function]{
	{"workload", func(f *Function, v value) (err error) {
		f.Workload, err = v.word("workload", "bundled", bundledNames())
		return
	}},
	{"path", func(f *Function, v value) (err error) { f.Path, err = v.text("path"); return }},
	{"name", func(f *Function, v value) (err error) { f.Name, err = v.functionName(); return }},
	{"memory", func(f *Function, v value) (err error) {
		f.MemoryMB, err = v.megabytes("memory", MinMemoryMB, MaxMemoryMB)
		return
	}},
	{"timeout", readTimeout},
	{"concurrency", func(f *Function, v value) (err error) {
		f.Concurrency, err = v.count("concurrency", 0, maxConcurrency)
		return
	}},
	{"keep_alive", func(f *Function, v value) (err error) {
		f.KeepAlive, err = v.duration("keep_alive", 0, maxSpan)
		return
	}},
	{"architecture", func(f *Function, v value) (err error) {
		f.Architecture, err = v.word("architecture", "architectures", Architectures)
		return
	}},
	{"snapstart", func(f *Function, v value) (err error) { f.SnapStart, err = v.truth("snapstart"); return }},
	{"freeze", func(f *Function, v value) (err error) { f.Freeze, err = v.truth("freeze"); return }},
	{"runtime", func(f *Function, v value) (err error) { f.Runtime, err = v.runtime(); return }},
	{"handler", func(f *Function, v value) (err error) { f.Handler, err = v.handler(); return }},
	{"env", readEnv},
}

var payloadKeys = []key[Payload]{
	{"name", func(p *Payload, v value) (err error) { p.Name, err = v.name("name"); return }},
	{"file", func(p *Payload, v value) (err error) { p.File, err = v.text("file"); return }},
	{"inline", func(p *Payload, v value) (err error) { p.Inline, err = v.event(); return }},
	{"size", func(p *Payload, v value) (err error) { p.Size, err = v.text("size"); return }},
	{"weight", func(p *Payload, v value) (err error) { p.Weight, err = v.count("weight", 1, maxWeight); return }},
}

var stormKeys = append(append([]key[Storm]{
	{"name", func(s *Storm, v value) (err error) { s.Name, err = v.name("name"); return }},
}, partKeys()...), settingKeys...)

// settingKeys are those of a storm that say what it meets, not when it comes:
// a part has none.
var settingKeys = []key[Storm]{
	{"trigger", readTrigger},
	{"payloads", func(s *Storm, v value) (err error) { s.Payloads, err = v.namesOnce("payloads"); return }},
	{"keep_alive", func(s *Storm, v value) error {
		d, err := v.duration("keep_alive", 0, maxSpan)
		s.KeepAlive = &d
		return err
	}},
	{"concurrency", func(s *Storm, v value) error {
		n, err := v.count("concurrency", 0, maxConcurrency)
		s.Concurrency = &n
		return err
	}},
	{"warm", func(s *Storm, v value) (err error) { s.Warm, err = v.count("warm", 0, maxConcurrency); return }},
	{"fresh", func(s *Storm, v value) (err error) { s.Fresh, err = v.truth("fresh"); return }},
}

var sweepKeys = []key[Sweep]{
	{"burst", func(s *Sweep, v value) (err error) { s.Burst, err = v.sizes("burst"); return }},
	{"repeats", func(s *Sweep, v value) (err error) { s.Repeats, err = v.count("repeats", 1, maxRepeats); return }},
	{"payload", func(s *Sweep, v value) (err error) { s.Payload, err = v.name("payload"); return }},
}

var projectKeys = []key[Project]{
	{"rate", func(p *Project, v value) (err error) { p.Rate, err = v.steady("rate"); return }},
	{"objective", func(p *Project, v value) (err error) {
		p.Objective, err = v.duration("objective", 0, MaxTimeout)
		return
	}},
	{"region", func(p *Project, v value) (err error) { p.Region, err = v.region(); return }},
	{"rates", func(p *Project, v value) (err error) { p.Rates, err = v.rates("rates"); return }},
	{"instance", func(p *Project, v value) (err error) { p.Instance, err = v.instance(); return }},
	{"scaling", func(p *Project, v value) (err error) {
		p.Scaling, err = v.word("scaling", "scalings", Scalings)
		return
	}},
	{"nodes", func(p *Project, v value) (err error) { p.Nodes, err = v.word("nodes", "scalers", NodeScalings); return }},
	{"placement", func(p *Project, v value) (err error) {
		p.Placement, err = v.word("placement", "placements", Placements)
		return
	}},
	{"balancer", func(p *Project, v value) (err error) {
		p.Balancer, err = v.word("balancer", "balancers", Balancers)
		return
	}},
	{"zones", func(p *Project, v value) (err error) { p.Zones, err = v.count("zones", 1, maxZones); return }},
	{"slow_start", func(p *Project, v value) (err error) {
		p.SlowStart, err = v.duration("slow_start", minSlowStart, maxSlowStart)
		return
	}},
	{"health_interval", func(p *Project, v value) (err error) {
		p.HealthInterval, err = v.duration("health_interval", minHealthInterval, maxHealthInterval)
		return
	}},
	{"unhealthy_after", func(p *Project, v value) (err error) {
		p.Unhealthy, err = v.count("unhealthy_after", minUnhealthy, maxUnhealthy)
		return
	}},
	{"restart_backoff", func(p *Project, v value) (err error) {
		p.RestartBackoff, err = v.duration("restart_backoff", minRestart, maxRestart)
		return
	}},
	{"restart_backoff_max", func(p *Project, v value) (err error) {
		p.RestartBackoffMax, err = v.duration("restart_backoff_max", minRestart, maxRestart)
		return
	}},
	{"restart_backoff_reset", func(p *Project, v value) (err error) {
		p.RestartBackoffReset, err = v.duration("restart_backoff_reset", minRestart, maxRestart)
		return
	}},
	{"deregistration_delay", func(p *Project, v value) (err error) {
		p.DeregistrationDelay, err = v.duration("deregistration_delay", minDeregistration, maxDeregistration)
		return
	}},
	{"stop_timeout", func(p *Project, v value) (err error) {
		p.StopTimeout, err = v.duration("stop_timeout", minStop, maxStop)
		return
	}},
	{"stop_time", func(p *Project, v value) (err error) { p.StopTime, err = v.duration("stop_time", 0, maxStop); return }},
	{"image_cache", func(p *Project, v value) (err error) {
		p.ImageCache, err = v.word("image_cache", "states", ImageCaches)
		return
	}},
	{"image_mb", func(p *Project, v value) (err error) { p.ImageMB, err = v.count("image_mb", 1, MaxImageMB); return }},
	{"warm_pool", func(p *Project, v value) (err error) { p.WarmPool, err = v.count("warm_pool", 0, maxWarmPool); return }},
	{"warm_pool_state", func(p *Project, v value) (err error) {
		p.WarmPoolState, err = v.word("warm_pool_state", "states", WarmPoolStates)
		return
	}},
	{"cpu_factor", func(p *Project, v value) (err error) { p.CPUFactor, err = v.number("cpu_factor", maxCPUFactor); return }},
}

func words[S ~string](list []S) []string {
	var all []string
	for _, s := range list {
		all = append(all, string(s))
	}
	return all
}

func has[S ~[]E, E comparable](list S, e E) bool { return slices.Contains(list, e) }
