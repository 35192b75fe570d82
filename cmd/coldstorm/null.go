package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/loadgen/drive"
)

// nullCommand is the endpoint that generators are held against: a process of its own,
// so that its processor time is not theirs. It listens on loopback and on a Unix
// socket, says where, and answers the questions that come by stdin, until that ends.
var nullCommand = command{
	name: "__null", hidden: true,
	setup: func(*pflag.FlagSet) func(context.Context, *app, []string) error {
		return func(_ context.Context, a *app, args []string) error { return serveNull(a, args) }
	},
}

func serveNull(a *app, args []string) error {
	if len(args) != 1 {
		return errors.New("__null takes a socket's path")
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer tcp.Close()
	unix, err := net.Listen("unix", args[0])
	if err != nil {
		return err
	}
	defer unix.Close()
	go drive.ServeNull(tcp)
	go drive.ServeNull(unix)
	fmt.Fprintf(a.stdout, "http://%s/\n", tcp.Addr())
	lines := bufio.NewScanner(a.stdin)
	for lines.Scan() {
		switch word, rest, _ := strings.Cut(lines.Text(), " "); word {
		case "arrivals":
			n, skew := drive.Arrivals()
			fmt.Fprintf(a.stdout, "%d %d\n", n, skew)
		case "stall":
			d, err := time.ParseDuration(rest)
			if err != nil {
				return err
			}
			drive.Stall(d)
			fmt.Fprintln(a.stdout, "ok")
		}
	}
	return nil
}

// null is the endpoint's process, as a bench holds it.
type null struct {
	url, socket string
	in          io.WriteCloser
	out         *bufio.Reader
	end         func()
}

func startNull(ctx context.Context) (*null, error) {
	dir, err := os.MkdirTemp("", "null")
	if err != nil {
		return nil, err
	}
	n := &null{socket: filepath.Join(dir, "socket"), end: func() { os.RemoveAll(dir) }}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", nullCommand.name, n.socket)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		n.in, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		n.end()
		return nil, err
	}
	n.end = func() {
		n.in.Close()
		cmd.Wait()
		os.RemoveAll(dir)
	}
	n.out = bufio.NewReader(out)
	if n.url, err = n.line(); err != nil {
		n.end()
		return nil, fmt.Errorf("start the endpoint: %w", err)
	}
	return n, nil
}

func (n *null) line() (string, error) {
	s, err := n.out.ReadString('\n')
	return strings.TrimSpace(s), err
}

func (n *null) ask(question string) (string, error) {
	if _, err := fmt.Fprintln(n.in, question); err != nil {
		return "", err
	}
	return n.line()
}

// arrivals are those since the last call, and the time from the first to the last.
func (n *null) arrivals() (count int, skew time.Duration, err error) {
	s, err := n.ask("arrivals")
	if err == nil {
		_, err = fmt.Sscan(s, &count, &skew)
	}
	return count, skew, err
}
