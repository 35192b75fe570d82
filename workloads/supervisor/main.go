// Supervisor is the first process of a sandbox whose function has external
// extensions: it starts every executable of /opt/extensions and then the
// function's own program, which its arguments are, tells the Runtime API of each
// that ends, and ends once all have.
//
// With --wait it is the first program of an environment that is started again:
// see await.
//
// SIGTERM begins the shutdown phase: the runtime is sent it too, and killed after
// its share of the phase; extensions hear of it by their SHUTDOWN event, and are
// killed with the sandbox.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// folder is where layers and images put extensions (AWS documentation: "Using
// the Lambda extensions API").
const folder = "/opt/extensions"

// runtimeShare is how long the runtime may take to end.
const runtimeShare = 300 * time.Millisecond

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "supervisor: no program to run")
		os.Exit(2)
	}
	if os.Args[1] == "--wait" {
		os.Exit(await(os.Args[2:]))
	}
	os.Exit(supervise(os.Args[1:]))
}

// await waits until /tmp is as its environment left it, and then becomes another
// program.
func await(argv []string) (code int) {
	const mark = "/tmp/.coldstorm-ready"
	for {
		if _, err := os.Lstat(mark); err == nil {
			break
		}
		time.Sleep(200 * time.Microsecond)
	}
	os.Remove(mark)
	err := syscall.Exec(argv[0], argv, os.Environ())
	fmt.Fprintf(os.Stderr, "execve %s: %v\n", argv[0], err)
	return 127
}

// supervise returns the runtime's exit code.
func supervise(argv []string) (code int) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM)
	names := map[int]string{} // of living children; the runtime's is empty
	for _, name := range extensions() {
		path := filepath.Join(folder, name)
		pid, err := start([]string{path}, extensionEnv(os.Environ()), "/")
		if err != nil {
			tell(name, 127, 0, err.Error())
			continue
		}
		names[pid] = name
	}
	runtime, err := start(argv, os.Environ(), "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		tell("", 127, 0, err.Error())
		return 127
	}
	names[runtime] = ""
	var mu sync.Mutex // held by whoever signals the runtime, so that its number is still its own
	alive := true
	kill := func(s syscall.Signal) {
		mu.Lock()
		defer mu.Unlock()
		if alive {
			syscall.Kill(runtime, s)
		}
	}
	go func() {
		for range signals {
			kill(syscall.SIGTERM)
			time.AfterFunc(runtimeShare, func() { kill(syscall.SIGKILL) })
		}
	}()
	for len(names) > 0 {
		var status syscall.WaitStatus
		// Looked at first, reaped under the lock.
		pid, err := wait(&status, &mu, func(pid int) {
			if pid == runtime {
				alive = false
			}
		})
		if err != nil {
			break
		}
		name, ours := names[pid]
		if !ours {
			continue // an orphan
		}
		delete(names, pid)
		if pid == runtime {
			code = status.ExitStatus()
		}
		number := 0
		if status.Signaled() {
			number = int(status.Signal())
		}
		tell(name, status.ExitStatus(), number, "")
	}
	return code
}

// wait reaps one child. reaped is called with it under the lock.
func wait(status *syscall.WaitStatus, mu *sync.Mutex, reaped func(pid int)) (pid int, err error) {
	for {
		if err = waitable(); err == nil {
			break
		} else if err != syscall.EINTR {
			return 0, err
		}
	}
	mu.Lock()
	defer mu.Unlock()
	pid, err = syscall.Wait4(-1, status, 0, nil)
	if err == nil {
		reaped(pid)
	}
	return pid, err
}

// extensions are the executable files of the folder.
func extensions() (names []string) {
	all, _ := os.ReadDir(folder) // no folder, no extensions
	for _, e := range all {
		if i, err := os.Stat(filepath.Join(folder, e.Name())); err == nil && i.Mode().IsRegular() && i.Mode()&0o111 != 0 {
			names = append(names, e.Name())
		}
	}
	return names
}

func start(argv, env []string, dir string) (pid int, err error) {
	pid, err = syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Dir: dir, Env: env, Files: []uintptr{0, 1, 2}})
	if err != nil {
		return 0, fmt.Errorf("execve %s: %w", argv[0], err)
	}
	return pid, nil
}

// extensionEnv leaves out what extensions don't get (AWS documentation: "Using
// the Lambda extensions API").
func extensionEnv(env []string) (kept []string) {
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING",
			"AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT":
			continue
		}
		if !strings.HasPrefix(name, "_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// tell reports the end of a process to the Runtime API, and waits until that was
// read.
func tell(name string, code, signal int, why string) {
	nc, err := net.Dial("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		return
	}
	defer nc.Close()
	body := fmt.Sprintf(`{"name":%q,"code":%d,"signal":%d,"why":%q}`, name, code, signal, why)
	fmt.Fprintf(nc, "POST /coldstorm/exit HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	nc.SetReadDeadline(time.Now().Add(time.Second))
	nc.Read(make([]byte, 1))
}
