package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// beginAccount starts an engine with the whole API, and a function of this name.
func beginAccount(t *testing.T, a Account, name string) *Engine {
	t.Helper()
	img, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	a.Copies, a.SettleGrace, a.InitLimit = t.TempDir(), time.Minute, time.Hour
	e := begin(t, Config{Account: &a})
	if err := e.Add(Function{Name: name, Image: img, Timeout: 900 * time.Second}); err != nil {
		t.Fatal(err)
	}
	return e
}

// invocation is an answer to a caller of its own connection.
type invocation struct {
	status   int
	body     string
	evidence results.Evidence
	err      error
}

func invokeOnce(client *http.Client, url, event string) (x invocation) {
	r, err := client.Post(url, "application/json", strings.NewReader(event))
	if err != nil {
		return invocation{err: err}
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	x = invocation{status: r.StatusCode, body: string(b), err: err}
	if err == nil {
		x.evidence, x.err = results.ParseEvidence(r.Header.Get(results.EvidenceHeader))
	}
	return x
}

// release lets every environment of a function go on that waits for it.
func release(t *testing.T, name string) (n int) {
	t.Helper()
	mark := []byte("AWS_LAMBDA_FUNCTION_NAME=" + name + "\x00")
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range environs {
		env, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(env, mark) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil {
			err = unix.Kill(pid, unix.SIGUSR1)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// each runs n at once, and returns what they give as it comes.
func each[T any](n int, do func() T) <-chan T {
	out := make(chan T, n)
	for range n {
		go func() { out <- do() }()
	}
	return out
}

func testClient(t *testing.T) *http.Client {
	c := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// The function waits until it is released, so that it outlasts the burst by
// construction.
func TestAThousandTriggersOfAFunctionThatReservedHalf(t *testing.T) {
	n, reserved := 1000, 500
	if testing.Short() {
		n, reserved = 40, 20
	}
	name := fmt.Sprintf("half-%d", os.Getpid())
	e := beginAccount(t, Account{ScaleOutBurst: -1}, name)
	client := testClient(t)
	req, err := http.NewRequest(http.MethodPut, e.URL()+"/2017-10-31/functions/"+name+"/concurrency", strings.NewReader(fmt.Sprintf(`{"ReservedConcurrentExecutions":%d}`, reserved)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	all := each(n, func() invocation { return invokeOnce(client, e.InvokeURL(name), `"until released"`) })
	for range n - reserved {
		want := `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`
		if x := <-all; x.err != nil || x.status != http.StatusTooManyRequests || x.body != want {
			t.Fatalf("got %+v, want a throttle", x)
		}
	}
	environments := map[string]bool{}
	for left := reserved; left > 0; {
		release(t, name)
		select {
		case x := <-all:
			left--
			if x.err != nil || x.status != http.StatusOK || x.body != `"until released"` {
				t.Fatalf("got %+v, want an answer", x)
			}
			environments[x.evidence.Environment] = true
		case <-time.After(100 * time.Millisecond): // some had not begun to wait
		}
	}
	if len(environments) != reserved {
		t.Errorf("%d environments served %d triggers at once", len(environments), reserved)
	}
}

// Three hundred triggers are sent again until each is taken in. However slow that
// goes, there are never more environments than the bucket allows at their time.
func TestEnvironmentsOverTimeFollowTheBucket(t *testing.T) {
	const n, burst, rate = 300, 100, 10
	watched := 120 // what is beyond is cut short: it would take 20 seconds
	if testing.Short() {
		watched = 102
	}
	name := fmt.Sprintf("bucket-%d", os.Getpid())
	e := beginAccount(t, Account{Concurrency: 1000, ScaleOutBurst: burst, ScaleOutRate: rate, RequestRate: -1}, name)
	client := testClient(t)
	var enough atomic.Bool
	all := each(n, func() invocation {
		for !enough.Load() {
			if x := invokeOnce(client, e.InvokeURL(name), `"until released"`); x.err != nil || x.status != http.StatusTooManyRequests {
				return x
			} else if !strings.Contains(x.body, `"ConcurrentInvocationLimitExceeded"`) {
				return invocation{err: fmt.Errorf("throttled with %s", x.body)}
			}
			time.Sleep(50 * time.Millisecond) // a client's pause before it tries again
		}
		return invocation{}
	})
	for count := 0; count < watched; { // of those that wait to be released
		select {
		case x := <-all:
			t.Fatalf("got %+v before it was released: %v", x, x.err)
		default:
		}
		count = 0
		environs, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, file := range environs {
			if env, err := os.ReadFile(file); err == nil && bytes.Contains(env, []byte("AWS_LAMBDA_FUNCTION_NAME="+name+"\x00")) {
				count++
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	enough.Store(true)
	var began []results.Stamp
	for left := n; left > 0; {
		release(t, name)
		select {
		case x := <-all:
			left--
			if x.err != nil {
				t.Fatal(x.err)
			}
			if x.status != 0 {
				began = append(began, x.evidence.Received)
			}
		case <-time.After(100 * time.Millisecond):
		}
	}
	slices.Sort(began)
	if len(began) < watched {
		t.Fatalf("%d environments, want %d", len(began), watched)
	}
	for i, at := range began {
		// A trigger waits between its reception and the bucket, hence the first's
		// reception is the earliest that the bucket can have begun.
		if most := burst + rate*at.Sub(began[0]).Seconds() + 1; i >= burst && float64(i) > most+rate {
			t.Errorf("environment %d after %v: the bucket allows %.1f", i+1, at.Sub(began[0]), most)
		}
	}
}
