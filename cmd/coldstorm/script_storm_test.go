package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// endpoint runs a command beside an HTTP server at $URL, and on the unix socket
// at $SOCKET, which writes each request to requests.log: method, path, X-Key and
// body. It answers 200 and 5 bytes; at /status/N the status N; at /late when all
// of that path that are to come have come, as many as ?n= says. $CLOSED is a URL
// at which nobody listens.
//
//	endpoint COMMAND [ARGUMENTS]
func endpoint() {
	code, err := besideEndpoint(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "endpoint:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func besideEndpoint(command []string) (int, error) {
	log, err := os.Create("requests.log")
	if err != nil {
		return 0, err
	}
	defer log.Close()
	handler := &logging{log: log, late: map[string]chan struct{}{}}
	socket, err := net.Listen("unix", "endpoint.sock")
	if err != nil {
		return 0, err
	}
	go http.Serve(socket, handler)
	defer socket.Close()
	server := httptest.NewServer(handler)
	defer server.Close()
	gone := httptest.NewServer(handler)
	gone.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "URL="+server.URL, "CLOSED="+gone.URL, "SOCKET=endpoint.sock")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// logging is the endpoint's handler.
type logging struct {
	mu   sync.Mutex
	log  io.Writer
	late map[string]chan struct{}
	come int
}

func (l *logging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	fmt.Fprintf(l.log, "%s %s %s %s\n", r.Method, r.URL.Path, r.Header.Get("X-Key"), body)
	l.mu.Unlock()
	if status, ok := strings.CutPrefix(r.URL.Path, "/status/"); ok {
		code, _ := strconv.Atoi(status)
		w.WriteHeader(code)
		return
	}
	if r.URL.Path == "/late" {
		l.wait(r)
	}
	io.WriteString(w, "hello")
}

// wait returns when as many requests as ?n= says are waiting, or when the client
// has gone.
func (l *logging) wait(r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	l.mu.Lock()
	all := l.late[r.URL.RawQuery]
	if all == nil {
		all = make(chan struct{})
		l.late[r.URL.RawQuery] = all
	}
	if l.come++; l.come == n {
		close(all)
	}
	l.mu.Unlock()
	select {
	case <-all:
	case <-r.Context().Done():
	}
}

// attacked prints what vegeta's own decoder reads of a file of results: sequence,
// status, bytes in and out, method, URL's path and error of each.
//
//	attacked FILE
func attacked() {
	f, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "attacked:", err)
		os.Exit(1)
	}
	decode := vegeta.DecoderFor(f)
	if decode == nil {
		fmt.Fprintln(os.Stderr, "attacked: vegeta doesn't know this encoding")
		os.Exit(1)
	}
	for {
		var r vegeta.Result
		if err := decode(&r); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, "attacked:", err)
			os.Exit(1)
		}
		if r.Latency <= 0 || r.Timestamp.IsZero() {
			fmt.Println("no time:", r)
		}
		path := r.URL[strings.LastIndex(r.URL, "/"):]
		fmt.Println(r.Seq, r.Code, r.BytesIn, r.BytesOut, r.Method, path, r.Error)
	}
}
