package live

import (
	"slices"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// provisionedInit is the least that an environment may take to be ready when it
// is provisioned (AWS documentation: "Lambda execution environment").
const provisionedInit = 130 * time.Second

// Provision discards every environment and keeps n ready from now on. It returns
// when nothing of the old ones is left, and does not wait for the new.
func (f *Function) Provision(n int) {
	c := f.Config()
	c.Provisioned = n
	f.Redeploy(c)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.handle(plane.Event{Kind: plane.Tick}) // the first event, at which they start
	}
}

// Provisioned says how many of those environments are ready, and how many failed
// to start.
func (f *Function) Provisioned() (ready, failed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l, ok := f.plane.(*plane.Lambda); ok {
		return l.Provisioned()
	}
	return 0, 0
}

// environ is what its process sees.
func (u *unit) environ() []string {
	env := u.config.environ(u.stream)
	if u.cause == results.CauseProvisioned {
		if i := slices.Index(env, initializationType+"on-demand"); i >= 0 {
			env[i] = initializationType + "provisioned-concurrency"
		}
	}
	return env
}

const initializationType = "AWS_LAMBDA_INITIALIZATION_TYPE="
