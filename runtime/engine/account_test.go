package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
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
	if testing.Short() || os.Geteuid() != 0 { // once is enough
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
		case <-time.After(time.Second): // some had not begun to wait
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
	if testing.Short() || os.Geteuid() != 0 {
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
			time.Sleep(500 * time.Millisecond) // a client's pause before it tries again
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
		time.Sleep(250 * time.Millisecond)
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
		case <-time.After(time.Second):
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

// Bad clients get an error, and hurt nobody else.
func TestBadClients(t *testing.T) {
	e := beginAccount(t, Account{}, "f")
	address := strings.TrimPrefix(e.URL(), "http://")
	post := "POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nHost: x\r\n"
	good := func(after string) {
		t.Helper()
		if x := invokeOnce(testClient(t), e.InvokeURL("f"), `"print"`); x.err != nil || x.status != http.StatusOK {
			t.Fatalf("after %s: %+v", after, x)
		}
	}
	for _, tt := range []struct{ what, send, want string }{
		{"what is no HTTP", "hello\r\n\r\n", "HTTP/1.1 400 "},
		{"headers of 200 KB", post + "X: " + strings.Repeat("x", 200<<10) + "\r\n\r\n", "HTTP/1.1 431 "},
		{"a body that ends early", post + "Content-Length: 10\r\n\r\nabc", "HTTP/1.1 400 "},
		{"a broken chunk", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400 "},
		{"a body that is too large", post + "Content-Length: 6291457\r\n\r\n", "HTTP/1.1 413 "},
		{"a name that can't be", "POST /2015-03-31/functions/a%20b/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 400 "},
		{"a path that can't be", "GET /2015-03-31/functions/%zz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 "},
		{"no JSON", "POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n{", "HTTP/1.1 400 "},
		{"a length that can't be", post + "Content-Length: -1\r\n\r\n", "HTTP/1.1 400 "},
	} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, tt.send)
		c.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(c) // a reset after it doesn't matter
		c.Close()
		if !strings.HasPrefix(string(answer), tt.want) {
			t.Errorf("%s: got %.200q", tt.what, answer)
		}
		good(tt.what)
	}
	for range 100 { // they say nothing more, and stay
		for _, part := range []string{"POST /2015", post + "Content-Length: 6291456\r\n\r\n{", ""} {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, part)
		}
	}
	good("300 slow ones")
}
