package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
)

// benchSkew compares how far apart a burst arrives at the endpoint, first to last, over
// a Unix socket and over TCP, connections made before for all that can.
func benchSkew(ctx context.Context, o benchOptions) (benchTable, error) {
	var t benchTable
	n, err := startNull(ctx)
	if err != nil {
		return t, err
	}
	defer n.end()
	hey, err := exec.LookPath("hey")
	if err != nil {
		t.Missing = append(t.Missing, "hey: install it (Debian's package of that name) to have a peer beside vegeta")
	}
	for _, where := range []struct {
		name string
		to   drive.BenchTarget
		goal float64
	}{{"a Unix socket", drive.BenchTarget{URL: n.url, Socket: n.socket}, 0.25}, {"TCP", drive.BenchTarget{URL: n.url}, 1.0 / 3}} {
		atServer := func(b drive.Bench, err error) (drive.Bench, error) {
			if err != nil {
				return b, err
			}
			_, b.Skew, err = n.arrivals()
			return b, err
		}
		d, err := fight(max(3, o.rounds/10), func() (drive.Bench, error) {
			return atServer(drive.BenchOwn(ctx, where.to, storm.Burst{N: o.burst}, o.burst))
		}, func() (drive.Bench, error) {
			// Its second burst is the one with warm connections; the first is not counted.
			w := drive.BenchTarget{URL: where.to.URL, Socket: where.to.Socket}
			return atServer(drive.BenchVegetaWarm(ctx, w, o.burst, func() { n.arrivals() }))
		})
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, skewRow("coldstorm over "+where.name, d.own), skewRow("stock vegeta over "+where.name, d.stock))
		t.Goals = append(t.Goals, atMost("skew over "+where.name+", of stock vegeta's", where.goal, shareOf(d, skewOf)))
		if where.to.Socket != "" || hey == "" {
			continue
		}
		var peer []drive.Bench
		for range max(3, o.rounds/10) {
			b, err := heyBurst(ctx, hey, n, o.burst)
			if err != nil {
				return t, err
			}
			peer = append(peer, b)
		}
		t.Rows = append(t.Rows, skewRow("hey over TCP, connections cold", peer))
		t.Goals = append(t.Goals, atMost("skew over TCP, of the best peer's", 2.0/3, medianOf(d.own, skewOf)/max(1, medianOf(peer, skewOf))))
	}
	t.Notes = []string{fmt.Sprintf("first to last arrival at the server of %s triggers at once; medians, then each round", thousands(o.burst))}
	return t, nil
}

func skewRow(name string, bs []drive.Bench) benchRow {
	row := benchRow{Contender: name, Figures: []benchFigure{
		{Name: "skew", Unit: unitNS, Value: medianOf(bs, skewOf)},
		{Name: "errors", Value: medianOf(bs, func(b drive.Bench) float64 { return float64(b.Errors) })},
	}}
	for i, b := range bs {
		row.Figures = append(row.Figures, benchFigure{Name: fmt.Sprintf("#%d", i+1), Unit: unitNS, Value: skewOf(b)})
	}
	return row
}

func heyBurst(ctx context.Context, hey string, n *null, burst int) (drive.Bench, error) {
	if _, _, err := n.arrivals(); err != nil {
		return drive.Bench{}, err
	}
	out, err := exec.CommandContext(ctx, hey, "-n", strconv.Itoa(burst), "-c", strconv.Itoa(burst), "-m", "POST", n.url).CombinedOutput()
	if err != nil {
		return drive.Bench{}, fmt.Errorf("hey: %w: %.200s", err, out)
	}
	count, skew, err := n.arrivals()
	return drive.Bench{Sent: count, Errors: burst - count, Skew: skew}, err
}

// fullRate is what two shared cores are to carry.
const fullRate = 50_000

// benchRate offers more than vegeta reaches, beside vegeta with and without a bound on
// its workers.
func benchRate(ctx context.Context, rounds int) (benchTable, error) {
	var t benchTable
	n, err := startNull(ctx)
	if err != nil {
		return t, err
	}
	defer n.end()
	to := drive.BenchTarget{URL: n.url, Socket: n.socket}
	var own, capped, free []drive.Bench
	for range max(3, rounds/20) {
		for _, run := range []struct {
			all *[]drive.Bench
			do  func() (drive.Bench, error)
		}{
			{&own, func() (drive.Bench, error) {
				return drive.BenchOwn(ctx, to, storm.Constant{Rate: fullRate, For: time.Second}, 0)
			}},
			{&capped, func() (drive.Bench, error) { return drive.BenchVegeta(ctx, to, fullRate, fullRate, 256, false) }},
			{&free, func() (drive.Bench, error) { return drive.BenchVegeta(ctx, to, fullRate, fullRate, 0, false) }},
		} {
			b, err := run.do()
			if err != nil {
				return t, err
			}
			*run.all = append(*run.all, b)
		}
	}
	t.Rows = []benchRow{rateRow("coldstorm", own), rateRow("stock vegeta, 256 workers at most", capped), rateRow("stock vegeta", free)}
	achieved := func(b drive.Bench) float64 { return b.Achieved }
	errs := func(b drive.Bench) float64 { return float64(b.Errors) }
	t.Goals = []benchGoal{
		atLeast("rate, of the 50,000 a second that are offered", 0.99, medianOf(own, achieved)/fullRate),
		atMost("triggers without an answer", 0, medianOf(own, errs)),
	}
	engine := "vegeta's attacker"
	if len(own) > 0 && own[0].Direct {
		engine = "the same schedule, pool and sender without vegeta, beyond whose reach this is"
	}
	t.Notes = []string{"50,000 a second for one second, open loop, over a Unix socket to another process on the same cores; medians, then each round's rate", "coldstorm fired by " + engine}
	return t, nil
}

func rateRow(name string, bs []drive.Bench) benchRow {
	row := benchRow{Contender: name, Figures: []benchFigure{
		{Name: "answered/s", Value: medianOf(bs, func(b drive.Bench) float64 { return b.Achieved })},
		{Name: "errors", Value: medianOf(bs, func(b drive.Bench) float64 { return float64(b.Errors) })},
		{Name: "lag p50", Unit: unitNS, Value: medianOf(bs, lagP50)},
		{Name: "p99", Unit: unitNS, Value: medianOf(bs, lagP99)},
		{Name: "CPU each", Unit: unitNS, Value: medianOf(bs, cpuEach)},
	}}
	for i, b := range bs {
		row.Figures = append(row.Figures, benchFigure{Name: fmt.Sprintf("rate #%d", i+1), Value: b.Achieved})
	}
	return row
}

// The stall that generators are held against: in the middle of a constant storm, over
// ten connections, the endpoint answers nothing for a second.
const (
	stallRate, stallFor, stallConnections = 1000, 6 * time.Second, 10
	stallTime                             = time.Second
	// A trigger intended more than 100 ms before the stall's end waits over 100 ms for it.
	stallOver = int(stallRate * (stallTime - 100*time.Millisecond) / time.Second)
)

// benchStall shows who hides a stall: how many triggers each says took over 100 ms.
func benchStall(ctx context.Context, _ benchOptions) (benchTable, error) {
	var t benchTable
	n, err := startNull(ctx)
	if err != nil {
		return t, err
	}
	defer n.end()
	to := drive.BenchTarget{URL: n.url}
	stalled := func(do func() (int, time.Duration, error)) (int, time.Duration, error) {
		failed := make(chan error, 1)
		timer := time.AfterFunc(stallFor/2, func() {
			_, err := n.ask("stall " + stallTime.String())
			failed <- err
		})
		over, p99, err := do()
		if !timer.Stop() {
			err = errors.Join(err, <-failed)
		}
		return over, p99, err
	}
	add := func(name string, do func() (int, time.Duration, error)) (int, error) {
		over, p99, err := stalled(do)
		t.Rows = append(t.Rows, benchRow{Contender: name, Figures: []benchFigure{
			{Name: "over 100 ms", Value: float64(over)}, {Name: "p99", Unit: unitNS, Value: float64(p99), None: p99 == 0},
		}})
		return over, err
	}
	count := int(stallRate * stallFor / time.Second)
	own, err := add("coldstorm, 10 connections", func() (int, time.Duration, error) {
		b, err := drive.BenchOwn(ctx, to, storm.Constant{Rate: stallRate, For: stallFor}, stallConnections)
		return b.Over, b.P99, err
	})
	if err != nil {
		return t, err
	}
	if _, err = add("stock vegeta, 10 workers", func() (int, time.Duration, error) {
		b, err := drive.BenchVegeta(ctx, to, stallRate, count, stallConnections, false)
		return b.Over, b.P99, err
	}); err != nil {
		return t, err
	}
	if hey, err := exec.LookPath("hey"); err != nil {
		t.Missing = append(t.Missing, "hey: install it (Debian's package of that name)")
	} else if _, err := add("hey -c 10 -q 100", func() (int, time.Duration, error) {
		over, err := heySlow(ctx, hey, n.url, stallFor)
		return over, 0, err
	}); err != nil {
		return t, err
	}
	t.Goals = []benchGoal{atMost("error of coldstorm's count, against arithmetic", 0.05, max(float64(own)/float64(stallOver)-1, 1-float64(own)/float64(stallOver)))}
	t.Notes = []string{fmt.Sprintf("%s triggers at %s/s; the endpoint stalls for %v in their middle; by arithmetic %d wait for over 100 ms", thousands(count), thousands(stallRate), stallTime, stallOver)}
	return t, nil
}

// heySlow counts the requests over 100 ms that hey reports.
func heySlow(ctx context.Context, hey, url string, length time.Duration) (int, error) {
	per := stallRate / stallConnections
	out, err := exec.CommandContext(ctx, hey, "-z", length.String(), "-c", strconv.Itoa(stallConnections), "-q", strconv.Itoa(per), "-m", "POST", "-o", "csv", url).Output()
	if err != nil {
		return 0, fmt.Errorf("hey: %w", err)
	}
	over := 0
	for _, line := range strings.Split(string(out), "\n")[1:] {
		first, _, _ := strings.Cut(line, ",")
		if v, err := strconv.ParseFloat(first, 64); err == nil && v > 0.1 {
			over++
		}
	}
	return over, nil
}
