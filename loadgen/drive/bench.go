package drive

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"coldstorm/loadgen/storm"
	"coldstorm/report/stats"
	"coldstorm/results"
)

// BenchLag sends n triggers at rate a second to url twice, by Attack and by
// vegeta as it comes, and returns the schedule lag of each: when the request
// was handed to the wire minus when it was to be. With an empty url both go to
// a server in this process.
func BenchLag(ctx context.Context, url string, rate float64, n int) (ours, stock results.Quantiles, err error) {
	err = withNull(url, func(url string) error {
		a := Attack{URL: url, Schedule: storm.Constant{Rate: rate, For: time.Duration(float64(n) / rate * 1e9)}}
		rep, err := a.Fire(ctx, func(results.Sample) {})
		if err != nil {
			return err
		}
		if rep.Sent != n {
			return fmt.Errorf("bench lag: %d of %d triggers were sent", rep.Sent, n)
		}
		ours = rep.Lag
		stock, err = stockLag(ctx, url, rate, n)
		return err
	})
	return ours, stock, err
}

// BenchBurst sends n triggers at once to url twice, by Attack and by vegeta
// with n workers and n connections made before, and returns the skew of each:
// first to last send. An empty url is as in BenchLag.
func BenchBurst(ctx context.Context, url string, n int) (ours, stock time.Duration, err error) {
	err = withNull(url, func(url string) error {
		rep, err := Attack{URL: url, Schedule: storm.Burst{N: n}, Connections: n}.Fire(ctx, func(results.Sample) {})
		if err != nil {
			return err
		}
		ours = rep.Skew
		stock, err = stockBurst(ctx, url, n)
		return err
	})
	return ours, stock, err
}

// withNull calls do with url, or with that of a server made for the call.
func withNull(url string, do func(url string) error) error {
	if url != "" {
		return do(url)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- ServeNull(l) }()
	defer func() { l.Close(); <-served }()
	return do("http://" + l.Addr().String() + "/")
}

// stockLag is the lag of vegeta with its own pacer and transport. Intended
// sends are its pacer's: the first an interval after the beginning.
func stockLag(ctx context.Context, url string, rate float64, n int) (results.Quantiles, error) {
	w := newWire(n)
	defer w.next.CloseIdleConnections()
	p := &stockPacer{n: uint64(n), Pacer: vegeta.ConstantPacer{Freq: int(rate * 1000), Per: 1000 * time.Second}}
	if err := w.attack(ctx, url, p, vegeta.DefaultWorkers); err != nil {
		return results.Quantiles{}, err
	}
	var lags []time.Duration
	for i, sent := range w.sent {
		lags = append(lags, sent.Sub(p.began.Add(time.Duration(float64(i+1)/rate*1e9))))
	}
	return stats.Summarise(lags), nil
}

// stockBurst is the skew of vegeta's second burst: the first makes the
// connections.
func stockBurst(ctx context.Context, url string, n int) (time.Duration, error) {
	w := newWire(n)
	defer w.next.CloseIdleConnections()
	for range 2 {
		p := &stockPacer{n: uint64(n), Pacer: vegeta.ConstantPacer{}} // its zero value is as fast as can be
		if err := w.attack(ctx, url, p, uint64(n)); err != nil {
			return 0, err
		}
	}
	first, last := w.sent[0], w.sent[0]
	for _, sent := range w.sent {
		first, last = min(first, sent), max(last, sent)
	}
	return last.Sub(first), nil
}

// stockPacer ends after n and notes when vegeta began.
type stockPacer struct {
	vegeta.Pacer
	n     uint64
	began results.Stamp
}

// Pace is the embedded pacer's until n were sent.
func (p *stockPacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if p.began == 0 {
		p.began = results.Now().Add(-elapsed)
	}
	if hits >= p.n {
		return 0, true
	}
	return p.Pacer.Pace(elapsed, hits)
}

// wire notes when the headers of each request were written.
type wire struct {
	next *http.Transport
	sent []results.Stamp
}

func newWire(n int) *wire {
	return &wire{sent: make([]results.Stamp, n), next: &http.Transport{
		MaxIdleConnsPerHost: vegeta.DefaultConnections,
		DialContext:         (&net.Dialer{}).DialContext,
	}}
}

// attack has vegeta send one trigger for each place in w.sent.
func (w *wire) attack(ctx context.Context, url string, p vegeta.Pacer, workers uint64) error {
	attacker := vegeta.NewAttacker(vegeta.Workers(workers), vegeta.Client(&http.Client{Transport: w}))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodPost, URL: url})
	sent := 0
	var failed error
	for res := range attacker.Attack(target, p, 0, "") {
		sent++
		if res.Error != "" {
			failed = fmt.Errorf("vegeta: trigger %d: %s", res.Seq, res.Error)
		}
	}
	if failed == nil && sent < len(w.sent) {
		failed = fmt.Errorf("vegeta: %d of %d triggers were sent", sent, len(w.sent))
	}
	return failed
}

// RoundTrip sends req by the next transport.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	seq, err := strconv.Atoi(req.Header.Get("X-Vegeta-Seq"))
	if err != nil || seq < 0 || seq >= len(w.sent) {
		return nil, fmt.Errorf("X-Vegeta-Seq: %q", req.Header.Get("X-Vegeta-Seq"))
	}
	trace := &httptrace.ClientTrace{WroteHeaders: func() { w.sent[seq] = results.Now() }}
	return w.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
}
