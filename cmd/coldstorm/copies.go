package main

import (
	"fmt"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
	"coldstorm/workloads"
)

// A storm that is spread over several functions, or of which a share is to start
// cold, meets several copies of the function. Copy k is what function k of the
// storm's marks is; each has, if the storm asks for cold starts, a cold twin that
// keeps no environment, so that every start of it is cold: the copy's triggers
// that are marked go there. That takes one twin, where an endpoint with a
// keep-alive of its own would take as many as are asked within that time
// (storm.Copies).

// copies are the names of what a storm meets.
type copies struct {
	warm []string // the functions; the first is the scenario's own
	cold []string // their twins; none unless the storm asks for cold starts
}

func copiesFor(name string, s storm.Schedule) copies {
	c := copies{warm: []string{name}}
	for k := 1; k < storm.Functions(s); k++ {
		c.warm = append(c.warm, fmt.Sprintf("%s-%d", name, k+1))
	}
	if !storm.Chilling(s) {
		return c
	}
	for _, name := range c.warm {
		c.cold = append(c.cold, name+"-cold")
	}
	return c
}

func (c copies) several() bool { return len(c.warm)+len(c.cold) > 1 }

// maxCopies is how many functions run deploys for a storm: each may keep some
// environments, of which a machine holds hundreds.
const maxCopies = 100

// deployCopies deploys the copies beside the function, which is deployed.
func (l *liveTarget) deployCopies(st workloads.Storm, c copies) error {
	if len(c.warm) > maxCopies {
		return usageError(fmt.Sprintf("take at most %d functions; more of them are for simulate", maxCopies),
			"storm %s: %d copies of the function are too many for one machine", st.Name, len(c.warm))
	}
	f := stormFunction(l.scenario.Function, st)
	for i, name := range append(c.warm[1:len(c.warm):len(c.warm)], c.cold...) {
		d := l.deployable(f)
		d.Name = name
		if i >= len(c.warm)-1 {
			d.KeepAlive = 0
		}
		if err := l.engine.Beside(d); err != nil {
			return fmt.Errorf("deploy a copy for storm %s: %w", st.Name, err)
		}
	}
	return nil
}

// route sends the triggers of a storm to the copies that their marks say.
func (l *liveTarget) route(a *drive.Attack, c copies) {
	if !c.several() {
		return
	}
	for _, name := range append(c.warm[:len(c.warm):len(c.warm)], c.cold...) {
		a.Routes = append(a.Routes, l.engine.InvokeURL(name))
	}
	schedule := a.Schedule
	a.Route = func(seq int) int {
		m := storm.MarkOf(schedule, seq)
		if m.Cold {
			return len(c.warm) + m.Function
		}
		return m.Function
	}
}

// judgeShare notes whether as many starts were cold as the storm asked for.
func (l *liveTarget) judgeShare(m measured) {
	if !storm.Chilling(m.schedule) {
		return
	}
	asked, cold, early, missed := 0, 0, 0, 0
	for x := range m.recorder.Samples() {
		marked := storm.MarkOf(m.schedule, int(x.Seq)).Cold
		if marked {
			asked++
		}
		if x.Outcome != results.OutcomeServed {
			continue
		}
		started := x.Start == results.StartCold
		switch {
		case started && marked:
			cold++
		case started:
			cold++
			early++
		case marked:
			missed++
		}
	}
	served := m.Counts.Served
	text := fmt.Sprintf("%d of %d starts were cold (%.1f %%), where %d were to be", cold, served, 100*share(cold, served), asked)
	level := results.LevelInfo
	if early > 0 {
		level = results.LevelWarn
		text += fmt.Sprintf("; %d that were to be warm found no environment ready: give the storm more of them with warm", early)
	}
	if missed > 0 {
		level = results.LevelWarn
		text += fmt.Sprintf("; %d that were to be cold were not", missed)
	}
	l.note(level, m.Name, "%s", text)
	l.progress.Say("  %s", text)
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
