// Function speaks the Lambda Runtime API by hand and behaves as BEHAVIOUR says:
// well, or in one of the ways in which functions go wrong.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

var base = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"

func init() { runtime.LockOSThread() } // a death signal is the first thread's

func main() {
	behaviour := os.Getenv("BEHAVIOUR")
	switch behaviour {
	case "exits at once":
		fmt.Fprintln(os.Stderr, "no configuration, giving up")
		os.Exit(3)
	case "never asks":
		time.Sleep(time.Hour)
	case "lives on":
		liveOn()
	}
	for n := 0; ; n++ {
		resp, err := http.Get(base + "invocation/next")
		if err != nil {
			os.Exit(1)
		}
		event, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		id := resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answer := event
		switch behaviour {
		case "crashes":
			os.Exit(4)
		case "hangs":
			time.Sleep(time.Hour)
		case "answers 7 MB":
			answer = bytes.Repeat([]byte("x"), 7<<20)
		case "answers twice":
			post("invocation/"+id+"/response", event)
		case "fails":
			post("invocation/"+id+"/error", []byte(`{"errorMessage":"no such image","errorType":"NotFound"}`))
			continue
		case "forks":
			fork()
		case "eats memory":
			eat()
		case "fails now and then":
			if n%2 == 1 {
				post("invocation/"+id+"/error", []byte(`{"errorMessage":"odd","errorType":"Function.Odd"}`))
				continue
			}
		}
		post("invocation/"+id+"/response", answer)
	}
}

func post(path string, body []byte) {
	resp, err := http.Post(base+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return
	}
	answer, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		fmt.Fprintln(os.Stderr, resp.Status, strings.TrimSpace(string(answer)))
	}
}

// liveOn does what a program can to outlive who started it: it takes back the signal
// at its parent's death, and so does a child of it, in a session of its own.
func liveOn() {
	if os.Getenv("CHILD") == "" {
		child := exec.Command("/proc/self/exe")
		child.Env = append(os.Environ(), "CHILD=1")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, 0, 0)
	if os.Getenv("CHILD") != "" {
		time.Sleep(time.Hour)
	}
}

// fork starts children until it can't.
func fork() {
	if os.Getenv("CHILD") != "" {
		time.Sleep(time.Hour)
	}
	for {
		child := exec.Command("/proc/self/exe")
		child.Env = append(os.Environ(), "CHILD=1", "BEHAVIOUR=never asks")
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, "fork:", err)
			os.Exit(5)
		}
	}
}

// eat takes memory until there is none.
func eat() {
	var kept [][]byte
	for {
		block := make([]byte, 16<<20)
		for i := range block {
			block[i] = 1
		}
		kept = append(kept, block)
	}
}
