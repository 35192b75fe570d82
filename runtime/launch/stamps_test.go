package launch

import (
	"testing"
	"time"

	"coldstorm/results"
)

// wantMoments are the moments that a launch by l in a mode has, and no other.
func wantMoments(l *Launcher, mode string) []results.Moment {
	const ask, received, cloned, exec = results.MomentAsk, results.MomentReceived, results.MomentCloned, results.MomentExec
	switch {
	case l.runtime.kind == process:
		return []results.Moment{ask, received, cloned, exec}
	case l.runtime.kind == oci:
		return []results.Moment{ask, received, cloned, results.MomentRan}
	case mode == ModePooled:
		return []results.Moment{ask, received, results.MomentBegun, exec}
	case mode == ModeParked:
		return []results.Moment{ask, received, exec}
	case l.Host().Cgroup == "none":
		return []results.Moment{ask, received, cloned, results.MomentRootfs, results.MomentJoined, results.MomentSecured, exec}
	}
	return []results.Moment{ask, received, cloned, results.MomentRootfs, results.MomentCgroups, results.MomentJoined, results.MomentSecured, exec}
}

// stampsInOrder says that a launch has the moments that it can have, in the order of
// time, that what is not known is absent, and that what passes between them adds up.
func stampsInOrder(t testing.TB, l *Launcher) {
	before := results.Now()
	b := run(t, l, Spec{}, "exit", "0")
	if b.Mode != ModeCold && b.Mode != ModePooled {
		t.Errorf("mode %q", b.Mode)
	}
	checkStamps(t, before, b, wantMoments(l, b.Mode))
}

func checkStamps(t testing.TB, before results.Stamp, b *Sandbox, want []results.Moment) {
	t.Helper()
	moments := b.Stamps.Moments()
	last := before
	for _, m := range want {
		// The stamp of the client and that of a child come from two readings of one
		// clock, of which one is reckoned: they agree to some microseconds.
		if moments[m] == 0 || moments[m].Sub(last) < -50*time.Microsecond {
			t.Errorf("%s start: %s is at %d, what is before it at %d: %v", b.Mode, m, moments[m], last, moments)
		}
		last, moments[m] = moments[m], 0
	}
	if moments != (results.Moments{}) {
		t.Errorf("%s start: moments beside %v: %v", b.Mode, want, moments)
	}
	if b.Stamps.Answered.Sub(last) < -50*time.Microsecond || b.Exit().At.Sub(last) < -50*time.Microsecond {
		t.Errorf("%s start: ran at %d, answered at %d, ended at %d", b.Mode, last, b.Stamps.Answered, b.Exit().At)
	}
	took := b.Stamps.Running().Sub(b.Stamps.Ask)
	var sum time.Duration
	for _, s := range b.Stamps.Moments().Spans() {
		sum += s.Took
	}
	p := b.Stamps.Phases()
	if sum != took || p.Sum() != took || p.Sandbox <= 0 || (p.Rootfs > 0) != (b.Stamps.Rootfs != 0) {
		t.Errorf("%s start: took %v, spans add up to %v, phases are %+v", b.Mode, took, sum, p)
	}
}

// TestStampsOfEveryMode says of each mode of the builtin launcher what
// "stamps are in order" says of the one that it meets.
func TestStampsOfEveryMode(t *testing.T) {
	for _, c := range []struct {
		mode  string
		ready func(l *Launcher, s Spec) error
	}{
		{ModeCold, func(*Launcher, Spec) error { return nil }},
		{ModePooled, func(l *Launcher, s Spec) error { return l.Fill(s) }},
		{ModeParked, func(l *Launcher, s Spec) error { return l.Park(s, 1) }},
	} {
		t.Run(c.mode, func(t *testing.T) {
			config := Config{}
			if c.mode == ModePooled {
				config.Pool = 1
			}
			l := start(t, config)
			s := Spec{Image: insideImage(t)}
			s.Argv = []string{"/var/task/bootstrap", "exit", "0"} // as run does
			if err := c.ready(l, s); err != nil {
				t.Fatal(err)
			}
			before := results.Now()
			b := run(t, l, s, "exit", "0")
			if b.Mode != c.mode {
				t.Fatalf("mode %q", b.Mode)
			}
			checkStamps(t, before, b, wantMoments(l, b.Mode))
		})
	}
}

// TestTheHostsNetworkIsNotJoined says that a start which joins no network has no moment
// at which it did.
func TestTheHostsNetworkIsNotJoined(t *testing.T) {
	b := run(t, start(t, Config{}), Spec{Network: NetworkHost}, "exit", "0")
	if s := b.Stamps; s.Joined != 0 || s.Secured == 0 || s.Exec < s.Secured {
		t.Errorf("stamps %+v", s)
	}
}
