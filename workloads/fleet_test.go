package workloads

import (
	"strings"
	"testing"
	"time"
)

// ofProject is a scenario with keys of its project.
func ofProject(keys string) string {
	return "function: {workload: hello}\nstorms:\n  - {name: s, shape: burst, n: 1}\nproject: {" + keys + "}\n"
}

func TestKeysOfFleets(t *testing.T) {
	sc, err := Parse("s", []byte(ofProject("balancer: round-robin, slow_start: 1min, zones: 3, health_interval: 10s, unhealthy_after: 3, restart_backoff: 5s, restart_backoff_max: 1min, restart_backoff_reset: 2min, image_cache: warm, image_mb: 900, deregistration_delay: 5s, stop_timeout: 1min, stop_time: 2s")))
	if err != nil {
		t.Fatal(err)
	}
	want := Fleet{
		Balancer: BalancerRoundRobin, SlowStart: time.Minute, Zones: 3, HealthInterval: 10 * time.Second, Unhealthy: 3,
		RestartBackoff: 5 * time.Second, RestartBackoffMax: time.Minute, RestartBackoffReset: 2 * time.Minute,
		ImageCache: ImageCacheWarm, ImageMB: 900,
		DeregistrationDelay: 5 * time.Second, StopTimeout: time.Minute, StopTime: 2 * time.Second,
	}
	if sc.Project.Fleet != want {
		t.Errorf("%+v, want %+v", sc.Project.Fleet, want)
	}
	for keys, word := range map[string]string{
		"slow_start: 1min":                       "slow_start needs balancer: round-robin",
		"balancer: round-robin, slow_start: 10s": "slow_start is from 30s",
		"deregistration_delay: 0s":               "deregistration_delay is from 1s",
		"stop_timeout: 2h":                       "stop_timeout is from 1s",
		"image_cache: hot":                       "image_cache",
		"image_mb: 0":                            "image_mb",
		"zones: 7":                               "zones",
		"zones: 0":                               "zones",
		"health_interval: 1s":                    "health_interval is from 5s",
		"unhealthy_after: 1":                     "unhealthy_after",
		"restart_backoff: 0s":                    "restart_backoff is from 1s",
		"restart_backoff_reset: 2h":              "restart_backoff_reset is from 1s",
		"restart_backoff_max: 5s":                "restart_backoff_max is less than restart_backoff",

		"restart_backoff: 1min, restart_backoff_max: 59s": "restart_backoff_max is less than restart_backoff",
	} {
		if _, err := Parse("s", []byte(ofProject(keys))); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %s", keys, err, word)
		}
	}
}
