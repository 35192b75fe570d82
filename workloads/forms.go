package workloads

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Scalars and lists with a form of their own.

var (
	functionNaming = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`) // AWS Lambda: FunctionName
	runtimeNaming  = regexp.MustCompile(`^(provided|nodejs|python|java|dotnet|ruby|go)[a-z0-9._]*$`)
	handlerNaming  = regexp.MustCompile(`^[^\s]{1,128}$`) // AWS Lambda: Handler
	regionNaming   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	instanceNaming = regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
)

const (
	runtimeHint = "write it as AWS names it: provided.al2023, python3.13, nodejs22.x, java21"
	handlerHint = "write it as AWS names it: module.function, such as app.lambda_handler or src/index.handler"
)

func (v value) form(what string, form *regexp.Regexp, hint string) (string, error) {
	s, err := v.text(what)
	if err == nil && !form.MatchString(s) {
		err = v.problem(fmt.Sprintf("%s cannot be %q", what, s), hint)
	}
	return s, err
}

func (v value) functionName() (string, error) {
	return v.form("name", functionNaming, "AWS allows 1 to 64 letters, digits, dashes and underscores")
}

func (v value) runtime() (string, error) {
	return v.form("runtime", runtimeNaming, runtimeHint)
}

func (v value) handler() (string, error) {
	return v.form("handler", handlerNaming, handlerHint)
}

func (v value) region() (string, error) {
	return v.form("region", regionNaming, "write it as AWS names it: us-east-1, eu-central-1")
}

func (v value) instance() (string, error) {
	return v.form("instance", instanceNaming, "write an EC2 instance type: c7i.large, m7g.xlarge")
}

// event reads a body. AWS refuses an event that is not JSON.
func (v value) event() (string, error) {
	s, err := v.text("inline")
	if err != nil {
		return "", err
	}
	if !json.Valid([]byte(s)) {
		return "", v.problem("inline is not JSON, which an event has to be", `put it in single quotes: '{"key": "value"}'`)
	}
	return s, nil
}

func (v value) count(what string, low, high int) (int, error) {
	n, err := v.whole(what, int64(low), int64(high))
	return int(n), err
}

// namesOnce reads a list of names, none of them twice. Whether they name
// anything is for the reader of the whole to say.
func (v value) namesOnce(what string) ([]string, error) {
	entries, err := v.list(what)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, v.problem(what+" names none", "remove the key to get all")
	}
	var all []string
	for _, e := range entries {
		s, err := e.name("name")
		if err != nil {
			return nil, err
		}
		if slices.Contains(all, s) {
			return nil, e.problem(fmt.Sprintf("%s names %s twice", what, s), "")
		}
		all = append(all, s)
	}
	return all, nil
}

// sizes reads the sizes of a sweep, in ascending order.
func (v value) sizes(what string) ([]int, error) {
	entries, err := v.list(what)
	if err != nil {
		return nil, err
	}
	var all []int
	for _, e := range entries {
		n, err := e.count(what, 1, maxBurst)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && n <= all[len(all)-1] {
			return nil, e.problem(fmt.Sprintf("%s of %d after %d", what, n, all[len(all)-1]), "list sizes in ascending order, without commas inside a number")
		}
		all = append(all, n)
	}
	return all, nil
}

// durations reads a list of spans, each in low..high.
func (v value) durations(what string, low, high time.Duration) ([]time.Duration, error) {
	entries, err := v.list(what)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 || len(entries) > maxGaps {
		return nil, v.problem(fmt.Sprintf("%s lists %d", what, len(entries)), fmt.Sprintf("list 1 to %d durations: [1s, 2s, 5s]", maxGaps))
	}
	var all []time.Duration
	for _, e := range entries {
		d, err := e.duration(what, low, high)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// rates reads the grid of a curve, in ascending order.
func (v value) rates(what string) ([]float64, error) {
	entries, err := v.list(what)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, v.problem(what+" is empty", "remove the key to get its default")
	}
	var all []float64
	for _, e := range entries {
		r, err := e.steady(what)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && r <= all[len(all)-1] {
			return nil, e.problem(what+" do not ascend", "list rates in ascending order")
		}
		all = append(all, r)
	}
	return all, nil
}

// settable are those of Lambda's own that a function may set.
var settable = []string{"AWS_LAMBDA_EXEC_WRAPPER", "AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"}

// reserved are the variables that Lambda sets and a function can't: AWS Lambda,
// "Defined runtime environment variables".
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

var envNaming = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]+$`) // AWS Lambda: EnvironmentVariableName

// readEnv reads a function's variables. Their values may be plain numbers and
// truth values; they are taken as they stand.
func readEnv(f *Function, v value) error {
	o, err := v.object("env", nil)
	if err != nil {
		return err
	}
	total := 0
	f.Env = map[string]string{}
	for name, field := range o.fields {
		switch {
		case has(reserved, name) || strings.HasPrefix(name, "AWS_LAMBDA_") && !has(settable, name):
			return v.doc.at(field.name, fmt.Sprintf("env cannot set %s", name), "Lambda sets it itself")
		case !envNaming.MatchString(name):
			return v.doc.at(field.name, fmt.Sprintf("%q cannot name a variable", name), "AWS allows letters, digits and underscores, at least two, a letter first")
		}
		if f.Env[name], err = field.written(name, "text"); err != nil {
			return err
		}
		total += len(name) + len(f.Env[name])
	}
	if total > MaxEnv {
		return v.problem(fmt.Sprintf("env has %d bytes, more than %d", total, MaxEnv), "AWS Lambda allows 4 KB for all variables together")
	}
	return nil
}
