package drive

import (
	"context"
	"errors"
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

// A Bench is one run of a generator: what it sent, how far off its schedule, and at
// what price.
type Bench struct {
	Lag      results.Quantiles // actual minus intended write
	Skew     time.Duration     // first to last write
	Sent     int
	Errors   int // sent or not, without a 2xx response
	Achieved float64
	CPU      time.Duration // of this process, a trigger: the endpoint is to be another's
	Direct   bool          // coldstorm without vegeta
	Over     int           // latencies above 100 ms
	P99      time.Duration // of latencies: coldstorm's from the intended send, vegeta's own
}

// BenchTarget is where a generator is measured.
type BenchTarget struct{ URL, Socket string }

// BenchOwn measures Attack. connections of 0 are as many as it takes.
func BenchOwn(ctx context.Context, to BenchTarget, s storm.Schedule, connections int) (Bench, error) {
	a := Attack{URL: to.URL, Socket: to.Socket, Schedule: s, Connections: connections}
	var b Bench
	latencies := make([]time.Duration, 0, s.Len())
	before := readUsage()
	rep, err := a.Fire(ctx, func(x results.Sample) {
		if x.Outcome != results.OutcomeServed {
			b.Errors++
			return
		}
		latencies = append(latencies, x.Latency())
	})
	if err != nil {
		return b, err
	}
	b.Lag, b.Skew, b.Sent, b.Achieved, b.Direct = rep.Lag, rep.Skew, rep.Sent, rep.Generator.Achieved, rep.Direct
	b.close(latencies, before)
	return b, nil
}

func (b *Bench) close(latencies []time.Duration, before usage) {
	b.CPU = (readUsage().self - before.self) / time.Duration(max(b.Sent, 1))
	for _, l := range latencies {
		if l > 100*time.Millisecond {
			b.Over++
		}
	}
	b.P99 = stats.Summarise(latencies).P99
}

// BenchVegeta measures vegeta as it comes, with a pacer of its own: n triggers at rate
// a second, or as fast as can be if that is 0, by at most so many workers; 0 is no
// bound. With warm it makes its connections before, in a burst that is not measured.
func BenchVegeta(ctx context.Context, to BenchTarget, rate float64, n, workers int, warm bool) (Bench, error) {
	return benchVegeta(ctx, to, rate, n, workers, warm, func() {})
}

// BenchVegetaWarm is BenchVegeta of a burst of n over connections made before; warmed is
// called between the two.
func BenchVegetaWarm(ctx context.Context, to BenchTarget, n int, warmed func()) (Bench, error) {
	return benchVegeta(ctx, to, 0, n, 0, true, warmed)
}

func benchVegeta(ctx context.Context, to BenchTarget, rate float64, n, workers int, warm bool, warmed func()) (Bench, error) {
	w := newWire(n, to)
	defer w.next.CloseIdleConnections()
	pace := func() *stockPacer {
		p := vegeta.ConstantPacer{} // its zero value is as fast as can be
		if rate > 0 {
			p = vegeta.ConstantPacer{Freq: int(rate * 1000), Per: 1000 * time.Second}
		}
		return &stockPacer{n: uint64(n), Pacer: p}
	}
	if warm {
		if _, err := w.attack(ctx, to.URL, pace(), uint64(n), 0); err != nil {
			return Bench{}, err
		}
		warmed()
	}
	first := uint64(vegeta.DefaultWorkers)
	if rate == 0 {
		first = uint64(n)
	}
	p, before := pace(), readUsage()
	b, err := w.attack(ctx, to.URL, p, first, uint64(workers))
	if err != nil {
		return b, err
	}
	var lags []time.Duration
	var begin, end results.Stamp
	for i, sent := range w.sent {
		if sent == 0 {
			continue
		}
		if begin == 0 || sent < begin {
			begin = sent
		}
		end = max(end, sent)
		if rate > 0 {
			lags = append(lags, sent.Sub(p.began.Add(time.Duration(float64(i+1)/rate*1e9))))
		}
	}
	b.Lag, b.Skew = stats.Summarise(lags), end.Sub(begin)
	b.close(w.latencies, before)
	return b, nil
}

// BenchLag sends n triggers at rate a second to url twice, by Attack and by
// vegeta as it comes, and returns the schedule lag of each: when the request
// was handed to the wire minus when it was to be. With an empty url both go to
// a server in this process.
func BenchLag(ctx context.Context, url string, rate float64, n int) (ours, stock results.Quantiles, err error) {
	err = withNull(url, func(url string) error {
		own, err := BenchOwn(ctx, BenchTarget{URL: url}, storm.Constant{Rate: rate, For: time.Duration(float64(n) / rate * 1e9)}, 0)
		if err != nil {
			return err
		}
		if own.Sent != n {
			return fmt.Errorf("bench lag: %d of %d triggers were sent", own.Sent, n)
		}
		other, err := BenchVegeta(ctx, BenchTarget{URL: url}, rate, n, 0, false)
		ours, stock = own.Lag, other.Lag
		return err
	})
	return ours, stock, err
}

// BenchBurst sends n triggers at once to url twice, by Attack and by vegeta
// with n workers and n connections made before, and returns the skew of each:
// first to last send. An empty url is as in BenchLag.
func BenchBurst(ctx context.Context, url string, n int) (ours, stock time.Duration, err error) {
	err = withNull(url, func(url string) error {
		own, err := BenchOwn(ctx, BenchTarget{URL: url}, storm.Burst{N: n}, n)
		if err != nil {
			return err
		}
		other, err := BenchVegeta(ctx, BenchTarget{URL: url}, 0, n, 0, true)
		ours, stock = own.Skew, other.Skew
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
	err = do("http://" + l.Addr().String() + "/")
	l.Close()
	return errors.Join(err, <-served)
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

// wire notes when the headers of each request were written, and what vegeta says of it.
type wire struct {
	next      *http.Transport
	sent      []results.Stamp
	latencies []time.Duration
}

func newWire(n int, to BenchTarget) *wire {
	dial := (&net.Dialer{}).DialContext
	if to.Socket != "" {
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", to.Socket)
		}
	}
	return &wire{sent: make([]results.Stamp, n), next: &http.Transport{MaxIdleConnsPerHost: vegeta.DefaultConnections, DialContext: dial}}
}

// attack has vegeta send one trigger for each place in w.sent.
func (w *wire) attack(ctx context.Context, url string, p vegeta.Pacer, workers, most uint64) (Bench, error) {
	options := []func(*vegeta.Attacker){vegeta.Workers(workers), vegeta.Client(&http.Client{Transport: w})}
	if most > 0 {
		options = append(options, vegeta.Workers(min(workers, most)), vegeta.MaxWorkers(most))
	}
	attacker := vegeta.NewAttacker(options...)
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodPost, URL: url})
	var b Bench
	w.latencies = w.latencies[:0]
	began := time.Now()
	for res := range attacker.Attack(target, p, 0, "") {
		b.Sent++
		if res.Error != "" || res.Code != http.StatusOK {
			b.Errors++
			continue
		}
		w.latencies = append(w.latencies, res.Latency)
	}
	b.Achieved = perSecond(b.Sent-b.Errors, time.Since(began))
	if ctx.Err() != nil {
		return b, context.Cause(ctx)
	}
	return b, nil
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
