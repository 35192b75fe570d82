package plane

import "time"

// HealthCheck says when a unit gets triggers and when no longer (AWS: health checks of
// an Application Load Balancer's target groups; Kubernetes: readiness probes). The
// executor checks, every Every, and tells by CheckPassed and CheckFailed. Ready stands
// for the first good check, which makes a new target healthy. The zero value has AWS's
// defaults. That a load balancer sends to all targets when none is healthy is left out.
type HealthCheck struct {
	Every     time.Duration // 0 is 30 s
	Unhealthy int           // failures in a row that take a unit out; 0 is 2
	Healthy   int           // passes in a row that take it back; 0 is 5
	// Replace stops a unit that is taken out and starts another (AWS: ECS services,
	// and Auto Scaling groups with health checks of type ELB). Otherwise it stays and
	// may come back (Kubernetes: readiness).
	Replace bool
}

const (
	checkEvery     = 30 * time.Second
	checkUnhealthy = 2
	checkHealthy   = 5
)

// Interval is the time between two checks of a unit.
func (h HealthCheck) Interval() time.Duration { return or(h.Every, checkEvery) }

// checked takes the outcome of a check.
func (f *Fleet) checked(e Event, out []Action) []Action {
	u := f.unit(e.Unit)
	if u == nil || u.state != unitIdle || u.draining {
		return out
	}
	h := f.rules.Health
	if e.Kind == CheckPassed {
		u.failed, u.passed = 0, u.passed+1
		if u.sick && u.passed >= or(h.Healthy, checkHealthy) {
			u.sick = false
			f.router.add(e.Unit, e.At)
			f.loaded(e.Unit)
		}
		return out
	}
	u.passed, u.failed = 0, u.failed+1
	if u.sick || u.failed < or(h.Unhealthy, checkUnhealthy) {
		return out
	}
	u.sick = true
	f.router.remove(e.Unit)
	if h.Replace {
		return f.drain(e.Unit, e.At, out)
	}
	return out
}
