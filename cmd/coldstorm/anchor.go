package main

import (
	"fmt"
	"os"

	"coldstorm/results"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

const reportLinesUsage = "`file` with REPORT lines of the same function on Lambda, with the same payload: they anchor the speed of this host's cores against AWS's"

// readReportLines reads the file of --report-lines; an empty name is no lines.
func readReportLines(file string) ([]sim.ReportLine, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, exitError{code: exitUsage, err: err}
	}
	defer f.Close()
	lines, err := sim.ReadReportLines(f)
	if err != nil {
		return nil, usageError("a log of the function, as CloudWatch has it, in text or JSON", "--report-lines %s: %w", file, err)
	}
	for i := range lines {
		if lines[i].Warm() {
			return lines, nil
		}
	}
	return nil, usageError("a log with warm invocations, as CloudWatch has it, in text or JSON", "--report-lines %s: %w, among %d REPORT lines", file, sim.ErrNoReportLines, len(lines))
}

// anchor gives a profile the processor factor, and says where it is from: the
// REPORT lines, the scenario, or nowhere.
func (r *runner) anchor(p *sim.Profile, lines []sim.ReportLine) {
	p.CPUFactor = r.scenario.Project.CPUFactor
	if len(lines) == 0 {
		if p.CPUFactor == 1 {
			r.note(results.LevelInfo, "", "projections take one core of the machine that was measured for one AWS vCPU (cpu_factor 1, an assumption without an interval: what is published of starts holds more than processor time); --report-lines anchors it with REPORT lines of your own")
		} else {
			r.note(results.LevelInfo, "", "projections take processor time times %g (project.cpu_factor, as it was given)", p.CPUFactor)
		}
		return
	}
	f, err := p.Anchor(lines, r.scenario.Seed)
	if err != nil {
		r.note(results.LevelWarn, "", "the REPORT lines anchor nothing (%v): projections take processor time times %g (project.cpu_factor)", err, p.CPUFactor)
		return
	}
	p.CPUFactor = f.Value
	r.note(results.LevelInfo, "", "projections take processor time times %s, at %v MB", f, f.MemoryMB)
	if !f.Interval.Known() {
		r.note(results.LevelWarn, "", "fewer than ten invocations on a side: the processor factor has no interval")
	}
}

// extrapolated says that a size of memory has more of a processor than the machine
// that was measured; empty if it has not.
func extrapolated(f workloads.Function, host results.Host) string {
	share := float64(f.MemoryMB) / workloads.MBPerVCPU
	if host.Cores == 0 || share <= float64(host.Cores) {
		return ""
	}
	return fmt.Sprintf("%d MB are %.1f vCPUs, the machine that was measured has %d cores: projections are extrapolated, and a function with more threads than that would be faster", f.MemoryMB, share, host.Cores)
}
