// Command bootstrap is a function that misbehaves on request: as MODE says
// during init, and as its event says in an invocation. It speaks the Runtime API
// over a plain connection, so that it is small and starts fast.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// released gets a value for each SIGUSR1.
var released = make(chan os.Signal, 1)

func main() {
	signal.Notify(released, syscall.SIGUSR1)
	switch os.Getenv("MODE") {
	case "exit":
		os.Exit(3)
	case "child":
		time.Sleep(time.Hour)
	case "deaf":
		time.Sleep(time.Hour)
	case "http":
		listen()
	}
	c, err := net.Dial("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		fmt.Println("bootstrap:", err)
		os.Exit(1)
	}
	rt := &client{c, bufio.NewReader(c)}
	if os.Getenv("MODE") == "init-error" {
		rt.call("POST", "init/error", `{"errorType":"Mine","errorMessage":"no"}`)
		time.Sleep(time.Hour)
	}
	for {
		id, event := rt.call("GET", "invocation/next", "")
		serve(rt, id, event)
	}
}

func serve(rt *client, id, event string) {
	answer := event
	switch event {
	case `"print"`:
		fmt.Println("printed by " + id)
	case `"environ"`:
		answer = `"` + strings.Join(os.Environ(), " ") + `"`
	case `"keep"`: // counts the calls in /tmp, and dies
		count, _ := os.ReadFile("/tmp/kept/count")
		os.Mkdir("/tmp/kept", 0o700)
		os.WriteFile("/tmp/kept/count", append(count, '|'), 0o600)
		os.Symlink("kept/count", "/tmp/link")
		os.Exit(1)
	case `"kept"`:
		count, err := os.ReadFile("/tmp/link")
		err2 := os.WriteFile("/tmp/kept/more", nil, 0o600) // still its own
		_, left := os.Stat("/tmp/.coldstorm-ready")
		answer = fmt.Sprintf(`"%s %v %v %v"`, count, err, err2, os.IsNotExist(left))
	case `"crash"`:
		os.Exit(1)
	case `"panic"`:
		var p *int
		*p = 1
	case `"until released"`:
		<-released
	case `"hang"`:
		time.Sleep(time.Hour)
	case `"big"`:
		answer = strings.Repeat("x", 7<<20)
	case `"memory"`:
		eat()
	case `"fork"`:
		fork()
	case `"spin"`:
		for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
		}
	case `"twice"`:
		rt.call("POST", "invocation/"+id+"/response", answer)
		if status, _ := rt.call("POST", "invocation/"+id+"/response", answer); status != "400" {
			os.Exit(9)
		}
		return
	case `"error"`:
		rt.call("POST", "invocation/"+id+"/error", `{"errorType":"Mine","errorMessage":"no"}`)
		return
	}
	rt.call("POST", "invocation/"+id+"/response", answer)
}

// eat touches memory until the kernel ends it.
func eat() {
	var held [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		held = append(held, b)
		runtime.KeepAlive(held)
	}
}

// fork starts processes until the kernel refuses, and leaves them running.
func fork() {
	for range 1 << 20 {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = []string{"MODE=child", "GOMAXPROCS=1"}
		if err := cmd.Start(); err != nil {
			fmt.Fprintln(os.Stderr, "fork:", err)
			return
		}
	}
}

// first is a moment of the program's own as early as it has one.
var first = func() (ts syscall.Timespec) {
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1 /* CLOCK_MONOTONIC */, uintptr(unsafe.Pointer(&ts)), 0)
	return ts
}()

// tell is a header with the program's first instruction, or with what TELL says is that.
func tell() string {
	switch text := os.Getenv("TELL"); text {
	case "":
		return ""
	case "first":
		return fmt.Sprintf("Coldstorm-First-Instruction: %d\r\n", first.Nano())
	default:
		return "Coldstorm-First-Instruction: " + text + "\r\n"
	}
}

type client struct {
	net.Conn
	r *bufio.Reader
}

// call returns the request id of an event, or the status of anything else, and
// the body.
func (c *client) call(method, path, body string) (id, text string) {
	fmt.Fprintf(c, "%s /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", method, path, tell(), len(body), body)
	var length int
	for first := true; ; first = false {
		line, err := c.r.ReadBytes('\n')
		if err != nil {
			os.Exit(0)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if first {
			id = string(line[9:12])
		}
		k, v, _ := strings.Cut(string(line), ": ")
		switch k {
		case "Content-Length":
			length, _ = strconv.Atoi(v)
		case "Lambda-Runtime-Aws-Request-Id":
			id = v
		}
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(c.r, b); err != nil {
		os.Exit(0)
	}
	return id, string(b)
}
