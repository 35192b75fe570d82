package life

import (
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
)

// Words are a service's names of the stages. A stage without a name is not shown.
type Words struct {
	Of    string // what goes through them: task, pod or instance
	names [stages]string
}

var (
	// Task has the states of an ECS task (Amazon ECS documentation, "Task lifecycle").
	// What waits for an instance of a capacity provider is in PROVISIONING; ACTIVATING and
	// DEACTIVATING hold the registration at the load balancer: from the container's start to
	// its first good check, and from the deregistration to the last answer. That launch
	// rates hold back a task which ECS makes after the wait is PROVISIONING too.
	Task = Words{"task", [stages]string{
		"PROVISIONING", "PENDING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED",
	}}
	// Pod has the phases of a Kubernetes pod, with the conditions and the reason that kubectl
	// shows (Kubernetes documentation, "Pod Lifecycle").
	Pod = Words{"pod", [stages]string{
		"Pending, unscheduled", "Pending, scheduled", "ContainerCreating", "Running, not ready", "Ready", "Terminating", "Terminating", "Terminating", "gone",
	}}
	// FargatePod has them for published times that do not part the wait for a node of the
	// pod's own, its image and its container.
	FargatePod = Words{"pod", [stages]string{
		"Pending", "Pending", "Pending", "Running, not ready", "Ready", "Terminating", "Terminating", "Terminating", "gone",
	}}
	// Instance has the states of an EC2 instance (Amazon EC2 documentation, "Amazon EC2
	// instance state changes"), which begins with its launch.
	Instance = Words{"instance", [stages]string{
		"", "pending", "pending", "running", "running", "running", "shutting-down", "shutting-down", "terminated",
	}}
)

// Times are the times in each state up to the time end, in the order of the states; of
// states that nothing was in there is no row.
func (r *Record) Times(w Words, end time.Duration) (list []results.StateTime) {
	var all [stages]stays // by the first stage of the name
	for _, l := range r.lives {
		l.count(&w, end, &all)
	}
	for s, of := range all {
		if n := len(of.left) + of.still; n > 0 {
			list = append(list, State(w.Of, w.names[s], of.left, of.still))
		}
	}
	return list
}

// State is the time in one state: of those that left it, and how many are in it still. In
// the last state nothing is left to come, so that it has no time.
func State(of, name string, left []time.Duration, still int) results.StateTime {
	return results.StateTime{Of: of, State: name, Units: len(left) + still, Still: still, Time: stats.Summarise(left)}
}

type stays struct {
	left  []time.Duration
	still int
}

// count adds a life's stays to those of all.
func (l entered) count(w *Words, end time.Duration, all *[stages]stays) {
	for i := 0; i < len(l) && l[i].at <= end; {
		next := i + 1
		for next < len(l) && w.names[l[next].stage] == w.names[l[i].stage] {
			next++
		}
		of := &all[w.first(l[i].stage)]
		switch {
		case w.names[l[i].stage] == "":
		case next < len(l) && l[next].at <= end:
			of.left = append(of.left, l[next].at-l[i].at)
		default:
			of.still++
		}
		i = next
	}
}

// first is the first stage that has the name of s.
func (w *Words) first(s Stage) Stage {
	for s > 0 && w.names[s-1] == w.names[s] {
		s--
	}
	return s
}
