package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// served runs a command while coldstorm serves on a free port, with the
// variables set that serve prints, and $URL; then it stops serve as Ctrl-C does:
//
//	served [FLAGS OF SERVE] -- COMMAND [ARGUMENTS]
//
// serve.log is what serve wrote to stderr. The exit code is the command's, or 1
// if serve did not start or did not end well.
func served() {
	split := slices.Index(os.Args, "--")
	code, err := serveWhile(os.Args[1:split], os.Args[split+1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "served:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func serveWhile(flags, command []string) (int, error) {
	log, err := os.Create("serve.log")
	if err != nil {
		return 0, err
	}
	defer log.Close()
	serve := exec.Command("coldstorm", append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...)
	serve.Stderr = log
	stdout, err := serve.StdoutPipe()
	if err == nil {
		err = serve.Start()
	}
	if err != nil {
		return 0, err
	}
	env, url, err := exports(stdout)
	if err != nil {
		text, _ := os.ReadFile("serve.log")
		serve.Process.Kill()
		serve.Wait()
		return 0, fmt.Errorf("%w: %s", err, text)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(append(os.Environ(), env...), "URL="+url)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	cmd.Wait()
	serve.Process.Signal(os.Interrupt)
	if err := serve.Wait(); err != nil {
		return 0, fmt.Errorf("serve ended with %w", err)
	}
	return cmd.ProcessState.ExitCode(), nil
}

// exports reads the lines that a shell would.
func exports(r io.Reader) (env []string, url string, err error) {
	lines := bufio.NewScanner(r)
	for range 4 {
		if !lines.Scan() {
			return nil, "", fmt.Errorf("serve wrote %d lines, want 4", len(env))
		}
		v := strings.TrimPrefix(lines.Text(), "export ")
		if u, ok := strings.CutPrefix(v, "AWS_ENDPOINT_URL_LAMBDA="); ok {
			url = u
		}
		env = append(env, v)
	}
	return env, url, nil
}
