package api

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// TestMain makes this binary a function, written with aws-lambda-go, where
// Lambda's variable is set: the test below starts it so.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		if os.Getenv("MODE") == "stream" {
			lambda.Start(streamed)
			return
		}
		lambda.StartWithOptions(func(_ context.Context, in map[string]string) (map[string]string, error) {
			if in["fail"] != "" {
				return nil, errors.New(in["fail"])
			}
			return map[string]string{"echo": in["say"]}, nil
		}, lambda.WithEnableSIGTERM())
		return
	}
	os.Exit(m.Run())
}

// streamed answers with what it was sent, in two parts, and breaks off after them
// if it was sent "fail".
func streamed(_ context.Context, in string) (io.Reader, error) {
	r, w := io.Pipe()
	go func() {
		for _, part := range []string{in, in} {
			io.WriteString(w, part)
		}
		if in == "fail" {
			w.CloseWithError(errors.New("broke"))
		}
		w.Close()
	}()
	return r, nil
}

func TestAStreamOfAwsLambdaGo(t *testing.T) {
	h, c := newHooks()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := New(l, c)
	defer e.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + l.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=hello", "MODE=stream"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	<-h.ready
	for _, tt := range []struct{ event, kind, payload, written string }{
		{"hi", "", "", "hihi"},
		{"fail", "Runtime.Unknown", `{"errorMessage":"broke","errorType":"errorString"}`, "failfail"},
	} {
		s := &caller{}
		r, err := e.Invoke(Invocation{ID: NewID(), ARN: "arn", Deadline: time.Now().Add(time.Minute), Payload: []byte(`"` + tt.event + `"`), Stream: s})
		if err != nil || !r.Streamed || r.ErrorType != tt.kind || string(r.Payload) != tt.payload || s.got.String() != tt.written {
			t.Errorf("%s: got %+v %s, written %q, %v", tt.event, r, r.Payload, s.got.String(), err)
		}
		<-h.idle
	}
}

func TestARuntimeOfAwsLambdaGo(t *testing.T) {
	h, c := newHooks()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := New(l, c)
	defer e.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + l.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=hello"}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()

	<-h.ready
	if !e.Extended() {
		t.Error("GoLangEnableSIGTERM did not register")
	}
	invoke := func(payload string) Response {
		t.Helper()
		r, err := e.Invoke(Invocation{ID: NewID(), ARN: "arn", Deadline: time.Now().Add(time.Minute), Payload: []byte(payload)})
		if err != nil {
			t.Fatal(err)
		}
		<-h.idle
		return r
	}
	if r := invoke(`{"say":"hi"}`); string(r.Payload) != `{"echo":"hi"}` || r.ErrorType != "" {
		t.Errorf("got %s %q", r.ErrorType, r.Payload)
	}
	if r := invoke(`{"fail":"no"}`); string(r.Payload) != `{"errorMessage":"no","errorType":"errorString"}` || r.ErrorType != "Runtime.Unknown" {
		t.Errorf("got %s %q", r.ErrorType, r.Payload)
	}
}

func BenchmarkWarm(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	h, c := newHooks()
	e := New(l, c)
	defer e.Close()
	go lean(l.Addr().String())
	<-h.ready
	inv := Invocation{ID: "0b6d1bd5-7ba2-4c0a-8d0e-4a1f6cf26a01", ARN: "arn:aws:lambda:us-east-1:123456789012:function:hello", Payload: []byte("{}")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Invoke(inv); err != nil {
			b.Fatal(err)
		}
		<-h.idle
	}
}
