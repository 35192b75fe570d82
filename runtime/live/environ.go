package live

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Region and Account are where functions believe that they run.
const (
	Region  = "us-east-1"
	Account = "123456789012"

	onDemand  = "on-demand"
	snapStart = "snap-start"
)

// ManagedInstances is the InitializationType of Lambda Managed Instances.
const ManagedInstances = "lambda-managed-instances"

// latest is the version of what isn't published.
const latest = "$LATEST"

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
// begin with _ or have a reserved name are dropped, as Lambda does.
func (c Config) environ(stream string) []string {
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
		if !strings.HasPrefix(k, "_") && !reserved[k] {
			vars[k] = v
		}
	}
	for k := range reserved { // an image's own, but for what its runtime is called
		if k != "AWS_EXECUTION_ENV" {
			delete(vars, k)
		}
	}
	maps.Copy(vars, c.told())
	maps.Copy(vars, map[string]string{
		"_HANDLER":                        c.Handler,
		"LAMBDA_TASK_ROOT":                "/var/task",
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"AWS_REGION":                      Region,
		"AWS_DEFAULT_REGION":              Region,
		"AWS_LAMBDA_FUNCTION_NAME":        c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     c.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME":       c.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      stream,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  c.InitializationType,
	})
	if c.InitializationType == snapStart { // a snapshot is older than its environment's log
		delete(vars, "AWS_LAMBDA_LOG_GROUP_NAME")
		delete(vars, "AWS_LAMBDA_LOG_STREAM_NAME")
	}
	list := make([]string, 0, len(vars))
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		list = append(list, k+"="+vars[k])
	}
	return list
}

// streamName is the log stream's of an environment that starts now.
func (c Config) streamName(id string, now time.Time) string {
	return now.UTC().Format("2006/01/02/") + "[" + c.Version + "]" + id
}

// Credentials are those of a function's role.
type Credentials struct {
	KeyID, Secret, Token string
}

// reserved are the names that a function can't set, beside those that are set
// for every function (AWS documentation: "Using Lambda environment variables").
var reserved = map[string]bool{
	"AWS_LAMBDA_RUNTIME_API": true, "AWS_EXECUTION_ENV": true,
	"AWS_ACCESS_KEY": true, "AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true, "AWS_SESSION_TOKEN": true,
	"AWS_LAMBDA_MAX_CONCURRENCY": true,
}

// told are the variables of what the configuration says beyond the rest. Those
// of the log's form and of X-Ray are defaults: the function's own count for more.
func (c Config) told() map[string]string {
	vars := map[string]string{}
	put := func(k, v string) {
		if v != "" {
			vars[k] = v
		}
	}
	byDefault := func(k, v string) {
		if _, own := c.Env[k]; !own {
			put(k, v)
		}
	}
	if c.Runtime != "" && !strings.HasPrefix(c.Runtime, "provided") {
		put("AWS_EXECUTION_ENV", "AWS_Lambda_"+c.Runtime)
	}
	byDefault("AWS_LAMBDA_LOG_FORMAT", c.LogFormat)
	byDefault("AWS_LAMBDA_LOG_LEVEL", c.LogLevel)
	byDefault("AWS_XRAY_DAEMON_ADDRESS", c.XRayDaemon)
	if _, port, ok := strings.Cut(c.XRayDaemon, ":"); ok {
		put("_AWS_XRAY_DAEMON_ADDRESS", strings.TrimSuffix(c.XRayDaemon, ":"+port))
		put("_AWS_XRAY_DAEMON_PORT", port)
	}
	if k := c.Credentials; k != nil {
		put("AWS_ACCESS_KEY_ID", k.KeyID)
		put("AWS_SECRET_ACCESS_KEY", k.Secret)
		put("AWS_SESSION_TOKEN", k.Token)
	}
	if c.MaxConcurrency > 0 {
		put("AWS_LAMBDA_MAX_CONCURRENCY", strconv.Itoa(c.MaxConcurrency))
	}
	return vars
}
