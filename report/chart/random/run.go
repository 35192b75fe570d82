package random

import (
	"math/rand/v2"
	"time"

	"coldstorm/results"
)

// Run returns a complete run of a Go function with three storms, a sweep, a
// fidelity table, eight models of which one is not offered, and the samples
// and manifest that belong to it.
func Run(seed uint64) (results.Run, []results.Sample, results.Manifest) {
	g := generator{rand.New(rand.NewPCG(seed, 7))}
	run := results.Run{
		Schema: results.Schema, ID: "2025-01-02T03-04-05Z-thumbnail", Status: results.StatusComplete,
		Started: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), Took: 94 * time.Second,
		Scenario: "default", Command: "coldstorm run --seed 1 workloads/default.yaml",
		Function: function(), Host: host(), Notes: notes(), Objective: 250 * time.Millisecond,
		PriceBook: results.PriceBookRef{
			Date: "2025-01-01", Region: "us-east-1", Digest: "5f2b1f0c9a7e4d3b8c6a5f2b1f0c9a7e",
			Sources: "AWS price list: Lambda, Fargate, EC2, EKS, Elastic Load Balancing",
		},
	}
	var samples []results.Sample
	for _, st := range []shape{
		{"steady", "Poisson at 20/s for 30 s", 600, 30 * time.Second, 0.02, 1},
		{"burst", "burst of 1,000 at once", 1000, 5 * time.Millisecond, 0.21, 14},
		{"ramp", "ramp from 1/s to 200/s over 20 s", 2010, 20 * time.Second, 0.04, 2.2},
	} {
		got := g.samples(st)
		run.Series = append(run.Series, g.series(st, got))
		samples = append(samples, got...)
	}
	run.Sweep = g.sweep()
	run.Fidelity = g.fidelity()
	run.Projections = g.projections(run.Objective)
	run.BreakEven = crossings(run.Projections)
	run.Curves = g.curves() // last: what is drawn before stays what it was
	return run, samples, manifest(run)
}

func function() results.Function {
	return results.Function{
		Name: "thumbnail", Source: "bundled", Digest: "9b74c9897bac770ffc029102a200c5de", PackageBytes: 6_815_744,
		Runtime: "provided.al2023", Architecture: "x86_64", MemoryMB: 512, Timeout: 15 * time.Second,
		Concurrency: 250, KeepAlive: 10 * time.Minute,
	}
}

func host() results.Host {
	return results.Host{
		Kernel: "6.1.0-18-amd64", CPU: "AMD EPYC 7B13", Cores: 2, MemoryBytes: 8 << 30,
		ClockSource: "tsc", Cgroups: "v2", Limits: true,
		Missing: []string{"user namespaces: environments run as the caller's user"},
	}
}

func notes() []results.Note {
	return []results.Note{
		{Level: results.LevelInfo, Text: "environments were started pooled: namespaces and cgroups stood ready"},
		{Level: results.LevelWarn, Text: "the host's processors were 97 % busy: latencies of this storm say more about the host than about the function", About: "burst"},
	}
}

func manifest(run results.Run) results.Manifest {
	m := results.Manifest{
		Schema: results.Schema, Version: "0.1.0", Go: "go1.26.0", Commit: "0123456789abcdef0123456789abcdef01234567", Seed: 1,
		ScenarioYAML: "name: default\nfunction: thumbnail\nstorms:\n  - name: burst\n    burst: 1000\n",
		ScenarioHash: "c0ffee00c0ffee00c0ffee00c0ffee00", Function: run.Function, Host: run.Host, PriceBook: run.PriceBook,
		Arrivals: map[string]string{},
		Modules:  map[string]string{"github.com/tsenart/vegeta/v12": "v12.13.0", "gonum.org/v1/plot": "v0.17.0"},
	}
	for _, s := range run.Series {
		m.Arrivals[s.Name] = s.Arrivals
	}
	return m
}
