package live

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	region  = "us-east-1"
	account = "123456789012"
	version = "$LATEST"
)

// overridable variables have a default that the function's own may replace (AWS
// Runtime Interface Emulator, environment). Those of AWS aside they are a zip's
// alone: an image brings its own.
var overridable = map[string]string{
	"LANG":                     "en_US.UTF-8",
	"TZ":                       ":UTC",
	"PATH":                     "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
	"LD_LIBRARY_PATH":          "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
	"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
}

// environ is what the function's process sees, sorted (AWS documentation:
// "Defined runtime environment variables"). Variables of the function that
// begin with _ or have a reserved name are dropped, as Lambda does. There are
// no credentials: there is no role.
func (c Config) environ(id string, now time.Time) []string {
	vars := maps.Clone(overridable)
	if c.Container {
		maps.DeleteFunc(vars, func(k, _ string) bool { return !strings.HasPrefix(k, "AWS_") })
	}
	for _, e := range c.ImageEnv {
		if k, v, ok := strings.Cut(e, "="); ok {
			vars[k] = v
		}
	}
	for k, v := range c.Env {
		if !strings.HasPrefix(k, "_") && k != "AWS_EXECUTION_ENV" { // which the runtime sets, or nobody
			vars[k] = v
		}
	}
	delete(vars, "AWS_LAMBDA_RUNTIME_API")
	maps.Copy(vars, map[string]string{
		"_HANDLER":                        c.Handler,
		"LAMBDA_TASK_ROOT":                "/var/task",
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"AWS_REGION":                      region,
		"AWS_DEFAULT_REGION":              region,
		"AWS_LAMBDA_FUNCTION_NAME":        c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      now.UTC().Format("2006/01/02/") + "[" + version + "]" + id,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
	})
	list := make([]string, 0, len(vars))
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		list = append(list, k+"="+vars[k])
	}
	return list
}
