package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/engine"
	"coldstorm/runtime/image"
	"coldstorm/workloads"
)

// invokesARound is how many warm invocations a contender makes in a round.
const invokesARound = 1000

// benchInvoke compares a warm invocation through the Invoke API with the same
// function behind plain net/http, one client, one connection each.
func benchInvoke(ctx context.Context, rounds int) (benchTable, error) {
	var t benchTable
	dir, remove, err := workFolder()
	if err != nil {
		return t, err
	}
	defer remove()
	fn, err := unpack("hello", dir)
	if err != nil {
		return t, err
	}
	plain, stop, err := plainHello(ctx, filepath.Join(fn, "bootstrap"))
	if err != nil {
		return t, err
	}
	defer stop()
	targets := []*invokeTarget{{contender: contender{name: "net/http, no coldstorm"}, url: plain}}
	for _, own := range []struct {
		name     string
		noFreeze bool
	}{{"coldstorm, no freeze", true}, {"coldstorm, freeze between", false}} {
		eng, err := deployedHello(ctx, fn, own.noFreeze)
		if err != nil {
			return t, err
		}
		defer eng.Close()
		targets = append(targets, &invokeTarget{contender: contender{name: own.name}, url: eng.InvokeURL("hello")})
	}
	for i := range max(3, rounds/20) {
		for _, k := range rand.Perm(len(targets)) {
			if err := targets[k].round(ctx, i); err != nil {
				return t, fmt.Errorf("%s: %w", targets[k].name, err)
			}
		}
	}
	for _, x := range targets {
		t.Rows = append(t.Rows, x.row())
	}
	t.Notes = []string{
		"the function is the bundled hello, on aws-lambda-go; one client, one connection, each request after the answer to the last",
		fmt.Sprintf("beyond net/http at p50: %s without freezing, %s with", span(t.Rows[1].Time.P50-t.Rows[0].Time.P50), span(t.Rows[2].Time.P50-t.Rows[0].Time.P50)),
	}
	return t, nil
}

// plainHello starts the function as an HTTP server and waits until it answers.
func plainHello(ctx context.Context, path string) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close() // for the function to take
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), "PORT="+strconv.Itoa(port))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for ctx.Err() == nil {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return "http://" + address + "/", stop, nil
		}
		time.Sleep(time.Millisecond) // until it listens
	}
	stop()
	return "", nil, context.Cause(ctx)
}

func deployedHello(ctx context.Context, fn string, noFreeze bool) (*engine.Engine, error) {
	img, err := image.Open(fn, filepath.Join(filepath.Dir(fn), "store"))
	if err != nil {
		return nil, err
	}
	eng, err := engine.Start(ctx, engine.Config{})
	if err != nil {
		return nil, err
	}
	err = eng.Deploy(engine.Function{
		Name: "hello", Image: img, MemoryMB: workloads.MBPerVCPU, Timeout: 30 * time.Second, KeepAlive: time.Hour, NoFreeze: noFreeze,
	})
	if err != nil {
		eng.Close()
		return nil, err
	}
	return eng, nil
}

// invokeTarget is a warm function behind a URL.
type invokeTarget struct {
	contender
	url    string
	client http.Client
}

// round invokes the function once unrecorded, then invokesARound times.
func (x *invokeTarget) round(ctx context.Context, n int) error {
	for i := range invokesARound + 1 {
		ask := results.Now()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url, bytes.NewReader([]byte(`{"name":"bench"}`)))
		if err != nil {
			return err
		}
		resp, err := x.client.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Amz-Function-Error") != "" {
			return fmt.Errorf("%s %s", resp.Status, resp.Header.Get("X-Amz-Function-Error"))
		}
		if i > 0 {
			x.add(n, results.Now().Sub(ask))
		}
	}
	return nil
}
