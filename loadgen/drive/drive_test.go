package drive_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// fire fires a and returns its samples by position. It fails the test where a
// trigger is missing or there twice, or its stamps are out of order.
func fire(t *testing.T, a drive.Attack) ([]results.Sample, drive.Report) {
	t.Helper()
	return fireUntil(t, t.Context(), a, func(results.Sample) {})
}

func fireUntil(t *testing.T, ctx context.Context, a drive.Attack, observe func(results.Sample)) ([]results.Sample, drive.Report) {
	t.Helper()
	all := make([]results.Sample, a.Schedule.Len())
	seen := make([]int, len(all))
	rep, err := a.Fire(ctx, func(s results.Sample) {
		seen[s.Seq]++
		all[s.Seq] = s
		observe(s)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range all {
		if seen[i] != 1 {
			t.Errorf("trigger %d was observed %d times", i, seen[i])
		}
		if s.Sent != 0 && (s.Intended == 0 || s.Lag() < 0 || s.Done < s.Sent) {
			t.Errorf("trigger %d: intended %d, sent %d, done %d", i, s.Intended, s.Sent, s.Done)
		}
		if s.Outcome != results.OutcomeUnsent && s.Done < s.Intended {
			t.Errorf("trigger %d: %s %q %v before it was due", i, s.Outcome, s.Reason, s.Intended.Sub(s.Done))
		}
	}
	return all, rep
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestABurstOfAThousandAllArrive(t *testing.T) {
	var arrived atomic.Int64
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		io.WriteString(w, "hello")
	})
	all, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 1000}, Series: "burst"})
	if arrived.Load() != 1000 || rep.Sent != 1000 || rep.Scheduled != 1000 {
		t.Errorf("%d arrived of %d sent of %d", arrived.Load(), rep.Sent, rep.Scheduled)
	}
	if rep.Dialled != 0 || rep.Waits != 0 {
		t.Errorf("%d connections made and %d waited for during the burst, want all made before", rep.Dialled, rep.Waits)
	}
	var first, last results.Stamp
	for i, s := range all {
		if s.Outcome != results.OutcomeServed || s.Status != 200 || s.Bytes != 5 || s.Start != results.StartUnknown || s.Series != "burst" {
			t.Fatalf("trigger %d: %s %q, status %d, %d bytes, start %s", i, s.Outcome, s.Reason, s.Status, s.Bytes, s.Start)
		}
		if s.Intended != rep.Start {
			t.Fatalf("trigger %d is intended %v after the start", i, s.Intended.Sub(rep.Start))
		}
		if first == 0 || s.Sent < first {
			first = s.Sent
		}
		last = max(last, s.Sent)
	}
	if rep.Skew != last.Sub(first) {
		t.Errorf("skew %v, want first to last send, %v", rep.Skew, last.Sub(first))
	}
}

func TestIntendedTimesAreTheSchedules(t *testing.T) {
	srv := serve(t, func(http.ResponseWriter, *http.Request) {})
	for _, sch := range []storm.Schedule{
		storm.Ramp{From: 0, To: 400, For: 300 * time.Millisecond},
		storm.Constant{Rate: 100, For: 200 * time.Millisecond},
		storm.Gap{N: 3, Gap: 30 * time.Millisecond},
		storm.List{0, 0, 50 * time.Millisecond, 50 * time.Millisecond, 51 * time.Millisecond},
	} {
		all, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: sch})
		for i, s := range all {
			at, _ := sch.At(i)
			if s.Outcome != results.OutcomeServed || s.Intended != rep.Start.Add(at) {
				t.Errorf("%s: trigger %d: %s, intended at %v, want %v", sch, i, s.Outcome, s.Intended.Sub(rep.Start), at)
			}
		}
		if rep.Lag.N != sch.Len() {
			t.Errorf("%s: lag of %d triggers", sch, rep.Lag.N)
		}
	}
}

func TestAStormWhoseFirstTriggerIsLateBeginsAtOnce(t *testing.T) {
	srv := serve(t, func(http.ResponseWriter, *http.Request) {})
	begun := results.Now()
	_, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.List{50 * time.Millisecond}})
	if wait := rep.Start.Sub(begun); wait > 2*time.Second {
		t.Errorf("the storm began after %v", wait)
	}
}

func TestASequenceSendsWhenTheLastIsAnswered(t *testing.T) {
	var inFlight, most atomic.Int64
	srv := serve(t, func(http.ResponseWriter, *http.Request) {
		most.Store(max(most.Load(), inFlight.Add(1)))
		inFlight.Add(-1)
	})
	all, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Sequence{N: 20}})
	for i := 1; i < len(all); i++ {
		if all[i].Intended < all[i-1].Done {
			t.Errorf("trigger %d is intended %v before the last is answered", i, all[i-1].Done.Sub(all[i].Intended))
		}
	}
	if most.Load() != 1 || rep.Sent != 20 || rep.Skew != 0 {
		t.Errorf("%d in flight at once, %d sent, skew %v", most.Load(), rep.Sent, rep.Skew)
	}
}

func TestOutcomes(t *testing.T) {
	type response struct {
		status int
		header [2]string
		body   string
	}
	fault := [2]string{"X-Amz-Function-Error", "Unhandled"}
	for name, c := range map[string]struct {
		response
		outcome results.Outcome
		reason  string
	}{
		"a 2xx is served":                     {response{status: 202}, results.OutcomeServed, ""},
		"a 429 names its reason":              {response{429, [2]string{}, `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}`}, results.OutcomeThrottled, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		"a 429 without one names its type":    {response{429, [2]string{"X-Amzn-ErrorType", "TooManyRequestsException:http://x/"}, "slow down"}, results.OutcomeThrottled, "TooManyRequestsException"},
		"a 429 with nothing":                  {response{status: 429}, results.OutcomeThrottled, "HTTP 429"},
		"a restore over its limit timed out":  {response{408, [2]string{"X-Amzn-ErrorType", "SnapStartTimeoutException"}, "{}"}, results.OutcomeTimedOut, "SnapStartTimeoutException"},
		"a 408 of another kind failed":        {response{status: 408}, results.OutcomeFailed, "HTTP 408"},
		"a 503 failed":                        {response{status: 503}, results.OutcomeFailed, "HTTP 503"},
		"a redirect is not followed":          {response{302, [2]string{"Location", "/elsewhere"}, ""}, results.OutcomeFailed, "HTTP 302"},
		"a function error by type":            {response{200, fault, `{"errorType":"ValueError","errorMessage":"no"}`}, results.OutcomeFailed, "ValueError"},
		"a function error that is not JSON":   {response{200, fault, `oops`}, results.OutcomeFailed, "Unhandled"},
		"a function's timeout by type":        {response{200, fault, `{"errorType":"Sandbox.Timedout"}`}, results.OutcomeTimedOut, "Sandbox.Timedout"},
		"a function's timeout by its message": {response{200, fault, `{"errorMessage":"2026 x Task timed out after 3.00 seconds"}`}, results.OutcomeTimedOut, "Sandbox.Timedout"},
		"a wrong output":                      {response{200, [2]string{}, "wrong"}, results.OutcomeFailed, drive.ReasonWrongOutput},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/f" {
					t.Errorf("request of %s", r.URL.Path)
				}
				if c.header[0] != "" {
					w.Header().Set(c.header[0], c.header[1])
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			check := func(body []byte) error {
				if string(body) == "wrong" {
					return fmt.Errorf("want right")
				}
				return nil
			}
			all, _ := fire(t, drive.Attack{URL: srv.URL + "/f", Schedule: storm.Burst{N: 2}, Check: check})
			for _, s := range all {
				if s.Outcome != c.outcome || s.Reason != c.reason || s.Status != c.status || s.Bytes != int64(len(c.body)) {
					t.Errorf("%s %q, status %d, %d bytes", s.Outcome, s.Reason, s.Status, s.Bytes)
				}
			}
		})
	}
}

func TestEvidenceAndPhases(t *testing.T) {
	proof := results.Evidence{
		Environment: "env 1", Served: 3, Start: results.StartCold, Cause: results.CauseScaleOut, Mode: "pooled",
		Phases: results.Phases{Queue: 1, Sandbox: 2000, Rootfs: 300, Init: 70, Invoke: 9, Transport: 12345}, // transport is not the endpoint's to say
		Billed: 7 * time.Millisecond, MaxMemory: 42 << 20,
	}
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(results.EvidenceHeader, proof.String())
	})
	all, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 10}})
	for _, s := range all {
		if s.Environment != "env 1" || s.Cause != results.CauseScaleOut || s.Billed != 7*time.Millisecond || s.Phases.Sandbox != 2000 {
			t.Errorf("evidence %+v", s.Evidence)
		}
		if s.Phases.Sum() != s.Total() || s.Phases.Transport == 12345 {
			t.Errorf("phases %+v add up to %v, total is %v", s.Phases, s.Phases.Sum(), s.Total())
		}
	}
	if rep.BadEvidence != 0 {
		t.Errorf("%d times bad evidence", rep.BadEvidence)
	}
}

func TestBadEvidenceIsCountedAndNotBelieved(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(results.EvidenceHeader, "start=cold;environment=e;served=many")
	})
	all, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 3}})
	for _, s := range all {
		if s.Outcome != results.OutcomeServed || s.Start != results.StartUnknown || s.Environment != "" {
			t.Errorf("%s, start %s, environment %q", s.Outcome, s.Start, s.Environment)
		}
	}
	if rep.BadEvidence != 3 {
		t.Errorf("%d counted, want 3", rep.BadEvidence)
	}
}

func TestAnsweredTellsWhatTheEndpointCallsEachTrigger(t *testing.T) {
	var mu sync.Mutex
	n, ids := 0, map[uint64]string{}
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n++
		w.Header().Set("Name", fmt.Sprint(n))
		w.WriteHeader(http.StatusAccepted)
	})
	all, _ := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 20}, Answered: func(seq uint64, h http.Header) {
		mu.Lock()
		defer mu.Unlock()
		ids[seq] = h.Get("Name")
	}})
	names := map[string]bool{}
	for _, s := range all {
		names[ids[s.Seq]] = true
	}
	if len(names) != 20 || names[""] {
		t.Errorf("20 triggers are called %v", ids)
	}
}

func TestTheRequestIsTheCallers(t *testing.T) {
	var mu sync.Mutex
	got := map[string]int{}
	srv := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got[fmt.Sprintf("%s %s %s %s %s", r.Method, r.Host, r.Header.Get("X-Own"), r.Header.Get("Content-Type"), body)]++
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Vegeta") {
				t.Errorf("%s went over the wire", name)
			}
		}
	})
	all, _ := fire(t, drive.Attack{
		URL: srv.URL, Method: "PUT", Schedule: storm.Burst{N: 400}, Seed: 1,
		Header:   http.Header{"X-Own": {"yes"}, "Host": {"function.example"}},
		Payloads: []drive.Payload{{Name: "a", Body: []byte("1")}, {Name: "b", Body: []byte("2"), Weight: 3}},
	})
	a, b := got["PUT function.example yes application/json 1"], got["PUT function.example yes application/json 2"]
	if a+b != 400 || a < 60 || a > 140 {
		t.Errorf("%d and %d, want about 100 and 300: %v", a, b, got)
	}
	named := 0
	for _, s := range all {
		if s.Payload == "a" {
			named++
		}
	}
	if named != a {
		t.Errorf("%d samples name payload a, %d carried it", named, a)
	}
}

func TestTransportErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	hangUp := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		c.Close()
	})
	babble := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(c, "what?\r\n\r\n")
		c.Close()
	})
	lengthy := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello")
		c.Close()
	})
	for name, c := range map[string]struct {
		attack drive.Attack
		reason string
		sent   int
	}{
		"nobody listens":         {drive.Attack{URL: nobody}, "connection refused", 0},
		"no socket":              {drive.Attack{URL: "http://x/", Socket: filepath.Join(t.TempDir(), "none")}, "no such socket", 0},
		"the endpoint hangs up":  {drive.Attack{URL: hangUp.URL}, "connection closed", 5},
		"the endpoint babbles":   {drive.Attack{URL: babble.URL}, "malformed response", 5},
		"a length is none":       {drive.Attack{URL: lengthy.URL}, "malformed response", 5},
		"TLS where there's none": {drive.Attack{URL: strings.Replace(hangUp.URL, "http:", "https:", 1)}, "TLS", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.attack.Schedule = storm.List{0, 0, 0, 20 * time.Millisecond, 20 * time.Millisecond}
			all, rep := fire(t, c.attack)
			for i, s := range all {
				if s.Outcome != results.OutcomeFailed || s.Reason != c.reason || s.Status != 0 || s.Start != results.StartUnknown {
					t.Errorf("%s %q, status %d", s.Outcome, s.Reason, s.Status)
				}
				if s.Done < s.Intended {
					t.Errorf("trigger %d failed %v before it was due", i, s.Intended.Sub(s.Done))
				}
			}
			if rep.Sent != c.sent {
				t.Errorf("%d sent, want %d", rep.Sent, c.sent)
			}
		})
	}
}

func TestClientTimeout(t *testing.T) {
	release := make(chan struct{})
	srv := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	timeout := 30 * time.Millisecond
	all, _ := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 3}, Timeout: timeout})
	for _, s := range all {
		if s.Outcome != results.OutcomeTimedOut || s.Reason != "client timeout" || s.Total() < timeout {
			t.Errorf("%s %q after %v", s.Outcome, s.Reason, s.Total())
		}
	}
}

func TestTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the caller that does not know it
	srv.StartTLS()
	defer srv.Close()
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig
	big := strings.Repeat("x", 300<<10)
	for _, body := range []string{"small", big} {
		all, rep := fire(t, drive.Attack{
			URL: srv.URL, Schedule: storm.Burst{N: 20}, TLS: roots,
			Payloads: []drive.Payload{{Body: []byte(body)}},
		})
		for _, s := range all {
			if s.Outcome != results.OutcomeServed || s.Bytes != int64(len(body)) {
				t.Errorf("%s %q, %d bytes", s.Outcome, s.Reason, s.Bytes)
			}
		}
		if rep.Accuracy != drive.AccuracyTLS {
			t.Errorf("accuracy %s", rep.Accuracy)
		}
	}
	all, _ := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 1}})
	if all[0].Outcome != results.OutcomeFailed || all[0].Reason != "TLS" {
		t.Errorf("a certificate of nobody known: %s %q", all[0].Outcome, all[0].Reason)
	}
}

func TestBodiesThatDoNotFitASocket(t *testing.T) {
	body := []byte(strings.Repeat("0123456789", 400<<10)) // 4 MB
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	all, _ := fire(t, drive.Attack{
		URL: srv.URL, Schedule: storm.Burst{N: 4}, Payloads: []drive.Payload{{Body: body}},
		Check: func(got []byte) error {
			if string(got) != string(body) {
				return fmt.Errorf("%d bytes came back", len(got))
			}
			return nil
		},
	})
	for _, s := range all {
		if s.Outcome != results.OutcomeServed || s.Bytes != int64(len(body)) {
			t.Errorf("%s %q, %d bytes", s.Outcome, s.Reason, s.Bytes)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- drive.ServeNull(l) }()
	all, _ := fire(t, drive.Attack{URL: "http://function/", Socket: path, Schedule: storm.Burst{N: 50}})
	for _, s := range all {
		if s.Outcome != results.OutcomeServed {
			t.Errorf("%s %q", s.Outcome, s.Reason)
		}
	}
	l.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestConnectionsThatAreClosedAreReplaced(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	all, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Sequence{N: 5}})
	for _, s := range all {
		if s.Outcome != results.OutcomeServed {
			t.Errorf("%s %q", s.Outcome, s.Reason)
		}
	}
	if rep.Dialled != 4 {
		t.Errorf("%d connections made during the storm, want one for each trigger but the first", rep.Dialled)
	}
}

func TestMisuse(t *testing.T) {
	some := storm.Burst{N: 1}
	for want, a := range map[string]drive.Attack{
		"no schedule":     {URL: "http://x/"},
		"scheme must be":  {URL: "ftp://x/", Schedule: some},
		"has no host":     {URL: "http:///path", Schedule: some},
		"negative weight": {URL: "http://x/", Schedule: some, Payloads: []drive.Payload{{Weight: -1}}},
		"negative timeou": {URL: "http://x/", Schedule: some, Timeout: -1},
		"invalid method":  {URL: "http://x/", Schedule: some, Method: "GE T"},
	} {
		_, err := a.Fire(t.Context(), func(results.Sample) { t.Error("a sample") })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestAnEmptySchedule(t *testing.T) {
	_, rep := fire(t, drive.Attack{URL: "http://127.0.0.1:1/", Schedule: storm.Burst{}})
	if rep.Scheduled != 0 || rep.Sent != 0 || rep.Generator.Limited {
		t.Errorf("%+v", rep)
	}
}
