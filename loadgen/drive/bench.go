package drive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"coldstorm/loadgen/storm"
	"coldstorm/report/stats"
	"coldstorm/results"
)

// ServeNull answers every HTTP/1.1 request on l with an empty 200, as fast as
// can be, until l is closed: the endpoint against which generators are held.
// It returns once all connections are closed.
func ServeNull(l net.Listener) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]struct{}{}
	defer wg.Wait()
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		for c := range open {
			c.Close()
		}
	}()
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		} else if err != nil {
			return err
		}
		mu.Lock()
		open[c] = struct{}{}
		mu.Unlock()
		wg.Go(func() {
			serveNull(c)
			c.Close()
			mu.Lock()
			delete(open, c)
			mu.Unlock()
		})
	}
}

func serveNull(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

// BenchLag sends n triggers at rate a second to url twice, by Attack and by
// vegeta as it comes, and returns the schedule lag of each: when the request
// was handed to the wire minus when it was to be. With an empty url both go to
// a server in this process.
func BenchLag(ctx context.Context, url string, rate float64, n int) (ours, stock results.Quantiles, err error) {
	if url == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return ours, stock, err
		}
		served := make(chan error, 1)
		go func() { served <- ServeNull(l) }()
		defer func() { l.Close(); <-served }()
		url = "http://" + l.Addr().String() + "/"
	}
	a := Attack{URL: url, Schedule: storm.Constant{Rate: rate, For: time.Duration(float64(n) / rate * 1e9)}}
	rep, err := a.Fire(ctx, func(results.Sample) {})
	if err != nil {
		return ours, stock, err
	}
	if rep.Sent != n {
		return ours, stock, fmt.Errorf("bench lag: %d of %d triggers were sent", rep.Sent, n)
	}
	stock, err = stockLag(ctx, url, rate, n)
	return rep.Lag, stock, err
}

// stockLag is the lag of vegeta with its own pacer and transport. Intended
// sends are its pacer's: the first an interval after the beginning.
func stockLag(ctx context.Context, url string, rate float64, n int) (results.Quantiles, error) {
	w := &wire{sent: make([]results.Stamp, n), next: &http.Transport{
		MaxIdleConnsPerHost: vegeta.DefaultConnections,
		DialContext:         (&net.Dialer{}).DialContext,
	}}
	defer w.next.(*http.Transport).CloseIdleConnections()
	p := &stockPacer{n: uint64(n), Pacer: vegeta.ConstantPacer{Freq: int(rate * 1000), Per: 1000 * time.Second}}
	attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: w}))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodPost, URL: url})
	for res := range attacker.Attack(target, p, 0, "") {
		if res.Error != "" {
			return results.Quantiles{}, fmt.Errorf("vegeta: trigger %d: %s", res.Seq, res.Error)
		}
	}
	var lags []time.Duration
	for i, sent := range w.sent {
		if sent != 0 {
			intended := p.began.Add(time.Duration(float64(i+1) / rate * 1e9))
			lags = append(lags, sent.Sub(intended))
		}
	}
	return stats.Summarise(lags), ctx.Err()
}

// stockPacer ends after n and notes when vegeta began.
type stockPacer struct {
	vegeta.Pacer
	n     uint64
	began results.Stamp
}

func (p *stockPacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if p.began == 0 {
		p.began = results.Now().Add(-elapsed)
	}
	if hits >= p.n {
		return 0, true
	}
	return p.Pacer.Pace(elapsed, hits)
}

// wire notes when the headers of a request were written.
type wire struct {
	next http.RoundTripper
	sent []results.Stamp
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	seq, err := strconv.Atoi(req.Header.Get("X-Vegeta-Seq"))
	if err != nil || seq < 0 || seq >= len(w.sent) {
		return nil, fmt.Errorf("X-Vegeta-Seq: %q", req.Header.Get("X-Vegeta-Seq"))
	}
	trace := &httptrace.ClientTrace{WroteHeaders: func() { w.sent[seq] = results.Now() }}
	return w.next.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
}
