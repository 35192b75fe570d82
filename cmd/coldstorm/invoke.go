package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/results"
	"coldstorm/runtime/engine"
)

var invokeCommand = command{
	name: "invoke", args: "[--function DIR|ZIP|IMAGE | --url URL NAME] [--payload FILE|-] [--tail]", short: "invoke a function once",
	long: `
Invoke invokes a function once: one that it starts for that (without --function
the bundled hello), or with --url one that an endpoint has, such as that of
'coldstorm serve'.

stdout is the response, or the function's error; stderr is what the function
wrote, and how long each phase took. The exit code is 0 if the function answered,
4 if it failed or was throttled.

Examples:

    coldstorm invoke
    coldstorm invoke --function ./fn --payload event.json
    echo '{"name": "there"}' | coldstorm invoke --function fn.zip --payload -
    coldstorm invoke --url http://127.0.0.1:3001 hello --tail`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		var o invokeOptions
		f.StringVar(&o.function, "function", "", "`directory` or zip with a bootstrap, or container image")
		f.StringVar(&o.payload, "payload", "", "`file` with the event, - for stdin; default {}")
		f.BoolVar(&o.tail, "tail", false, "show the last 4 KB of the log alone; with --url: ask for them")
		f.StringVar(&o.url, "url", "", "`URL` of an endpoint that has the function; NAME is its name, with a qualifier perhaps")
		o.flags(f)
		return func(ctx context.Context, a *app, args []string) error {
			switch {
			case o.url == "" && len(args) > 0:
				return usageError("a NAME goes with --url", "invoke: %q is no flag", args[0])
			case o.url != "" && o.function != "":
				return usageError("", "--url and --function exclude each other")
			case o.url != "" && len(args) != 1:
				return usageError("", "--url wants the NAME of one function")
			}
			return o.do(ctx, a, args)
		}
	},
}

// invokeOptions are the flags of invoke.
type invokeOptions struct {
	local
	function, payload, url string
	tail                   bool
}

func (o *invokeOptions) do(ctx context.Context, a *app, args []string) error {
	event, err := o.event(a.stdin)
	if err != nil {
		return err
	}
	if o.url != "" {
		base, err := url.Parse(o.url)
		if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
			return usageError("such as http://127.0.0.1:3001", "--url %q is no URL of an endpoint", o.url)
		}
		ans, err := o.send(ctx, strings.TrimSuffix(o.url, "/")+"/2015-03-31/functions/"+url.PathEscape(args[0])+"/invocations", event)
		if err != nil {
			return err
		}
		return ans.tell(a)
	}
	ans, err := o.here(ctx, a, event)
	if ans == nil {
		return err
	}
	return errors.Join(ans.tell(a), err)
}

// event is what the function is given.
func (o *invokeOptions) event(stdin io.Reader) ([]byte, error) {
	switch o.payload {
	case "":
		return []byte("{}"), nil
	case "-":
		b, err := io.ReadAll(stdin)
		if err != nil {
			return nil, usageError("", "read the payload from stdin: %w", err)
		}
		return b, nil
	}
	b, err := os.ReadFile(o.payload)
	if err != nil {
		return nil, usageError("", "payload: %w", err)
	}
	return b, nil
}

// here starts an engine for the one invocation. At its end the log is complete, so
// that what is told of the answer stands below it. An engine that could not clean up
// is an error beside the answer.
func (o *invokeOptions) here(ctx context.Context, a *app, event []byte) (ans *answer, err error) {
	defer o.end()
	if err := o.begin(func(s string) { fmt.Fprintln(a.stderr, s) }); err != nil {
		return nil, err
	}
	path := o.function
	if path == "" {
		if path, err = unpack("hello", o.work); err != nil {
			return nil, err
		}
	}
	img, err := o.open(ctx, path)
	if err != nil {
		return nil, err
	}
	c := engine.Config{Stderr: a.stderr, Runtime: o.launcher}
	if !o.tail {
		log, wait, err := logTo(a.stderr)
		if err != nil {
			return nil, err
		}
		defer wait()
		c.Log = log
	}
	eng, err := engine.Start(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	defer func() {
		if cerr := eng.Close(); cerr != nil && err == nil {
			err = fmt.Errorf("cleaning up: %w", cerr)
		}
	}()
	name := functionName(path)
	if err := eng.Deploy(engine.Function{Name: name, Image: img, MemoryMB: o.memory, Timeout: o.timeout}); err != nil {
		return nil, err
	}
	return o.send(ctx, eng.InvokeURL(name), event)
}

// answer is what came of an invocation.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration // from the send to the last byte
}

// send invokes the function at a URL of the Invoke API.
func (o *invokeOptions) send(ctx context.Context, to string, event []byte) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(event))
	if err != nil {
		return nil, usageError("", "--url: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if o.tail {
		req.Header.Set("X-Amz-Log-Type", "Tail")
	}
	sent := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, exitError{code: exitInterrupted, err: errInterrupted}
		}
		return nil, fmt.Errorf("invoke: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the response: %w", err)
	}
	return &answer{resp.StatusCode, resp.Header, body, time.Since(sent)}, nil
}

// tell says what came: the phases on stderr, and the response on stdout.
func (n *answer) tell(a *app) error {
	if log, err := base64.StdEncoding.DecodeString(n.header.Get("X-Amz-Log-Result")); err == nil {
		a.stderr.Write(log)
	}
	fmt.Fprintln(a.stderr, phasesLine(n.header.Get(results.EvidenceHeader), n.took))
	if n.status != http.StatusOK {
		return refusedBy(n)
	}
	body := n.body
	if f, ok := a.stdout.(*os.File); ok && isTerminal(f) && !bytes.HasSuffix(body, []byte("\n")) {
		body = append(body, '\n') // for what stands below it; others get the bytes as they came
	}
	if _, err := a.stdout.Write(body); err != nil {
		return err
	}
	if kind := n.header.Get("X-Amz-Function-Error"); kind != "" {
		return exitError{code: exitInvalid, err: fmt.Errorf("the function failed (%s)", kind)}
	}
	return nil
}

// refusedBy is the error of an endpoint that did not invoke the function.
func refusedBy(n *answer) error {
	var text struct{ Message, Reason string }
	json.Unmarshal(n.body, &text) // its keys come in both cases
	why := n.header.Get("X-Amzn-Errortype")
	if why == "" {
		why = fmt.Sprintf("%d %s", n.status, http.StatusText(n.status))
	}
	for _, s := range []string{text.Message, text.Reason} {
		if s != "" {
			why += ": " + s
		}
	}
	code := exitInvalid
	if n.status == http.StatusNotFound || n.status == http.StatusBadRequest {
		code = exitUsage
	}
	return exitError{code: code, err: errors.New(why)}
}

// phasesLine says how long an invocation took, and in which phases.
func phasesLine(evidence string, took time.Duration) string {
	e, err := results.ParseEvidence(evidence)
	if err != nil || evidence == "" {
		return span(took) + " in all; the endpoint says nothing of its phases"
	}
	e.Phases.Transport = took - e.Responded.Sub(e.Received)
	var parts []string
	for _, p := range results.PhaseNames {
		if d := e.Phases.Get(p); d != 0 {
			parts = append(parts, string(p)+" "+span(d))
		}
	}
	start := string(e.Start) + " start"
	if e.Cause != "" {
		start += " (" + string(e.Cause) + ")"
	}
	return fmt.Sprintf("%s, %s in all: %s", start, span(took), strings.Join(parts, ", "))
}
