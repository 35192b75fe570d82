package live

import (
	"io"
	"math"
	"runtime"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

// Config says which function is deployed, and under which rules.
type Config struct {
	Name      string            // function by default
	Handler   string            // bootstrap by default
	Version   string            // of the function; $LATEST by default
	MemoryMB  int               // 128 by default; 1,769 MB is one processor
	Timeout   time.Duration     // of an invocation; 3 s by default
	InitLimit time.Duration     // 10 s by default; but for on-demand 130 s or Timeout, the longer
	Env       map[string]string // the function's own variables

	EphemeralMB int // size of /tmp; 512 by default

	// InitializationType is on-demand by default, provisioned-concurrency, snap-start
	// or lambda-managed-instances: what the runtime is told, which limit its init has,
	// and, of the last, what a timeout does.
	InitializationType string

	// Extensions names the external extensions that a sandbox starts beside the
	// runtime, under a first process that tells of each end and ends at SIGTERM.
	Extensions []string

	// RerunFailedInit has an init that failed by itself run once more within the
	// first invocation, as one does that goes over its limit; the default is that
	// the invocation gets its error at once.
	RerunFailedInit bool

	// What functions are told of their runtime, nothing if empty: AWS_EXECUTION_ENV
	// is AWS_Lambda_ and Runtime, such as python3.13, unless that is provided or
	// its like; RuntimeVersion, such as python:3.13.v16, and its ARN are in the
	// INIT_START line.
	Runtime           string
	RuntimeVersion    string
	RuntimeVersionARN string
	LogFormat         string       // LogFormatJSON or Text, the default
	LogLevel          string       // of the function's own lines in JSON, one of LogLevels; INFO if empty
	SystemLogLevel    string       // of Lambda's lines in JSON: DEBUG, INFO if empty, WARN
	LogGroup          string       // /aws/lambda/ and Name by default
	Credentials       *Credentials // of the function's role; nil: it has none
	XRayDaemon        string       // address of X-Ray's daemon, host:port
	NoFreeze          bool         // idle environments run on

	// MaxConcurrency is the number of invocations that an environment serves at once, as
	// AWS_LAMBDA_MAX_CONCURRENCY tells its runtime, which takes each by a loop of its own
	// over next. 0 is 1, and not told. Of more than 1 InitializationType is
	// lambda-managed-instances by default: there alone AWS has several.
	MaxConcurrency int

	// SnapStart says that what the launcher starts is restored from a snapshot (see
	// Publish), up to the runtime's restore/next.
	SnapStart bool

	// Container says that the function is a container image, and ImageEnv holds
	// that image's variables as NAME=value, or those of a managed runtime. Env counts
	// for more. What Lambda sets for a zip alone, such as PATH, is left to the image.
	Container bool
	ImageEnv  []string

	Concurrency int           // reserved; 0: the account's 1,000, negative: no bound, somebody else keeps it
	Provisioned int           // environments kept ready, from Provision on
	KeepAlive   time.Duration // idle time before an environment is reclaimed; 0: at once, negative: never
	Lifetime    time.Duration // age from which an environment is replaced, however busy; 0: never (Lambda: some hours)

	// ScaleOutBurst and ScaleOutRate bound new environments, as
	// plane.LambdaRules; 0 is no bound here: this machine is the bound.
	ScaleOutBurst, ScaleOutRate float64
	// ScaleOut, unless nil, is that bound, shared with others that are deployed.
	ScaleOut *plane.ScaleOut
	// RequestRate is in requests a second; 0 is ten times Concurrency (AWS
	// Lambda quotas), negative no bound.
	RequestRate float64
	// ProvisionedRate is in requests a second for each provisioned environment, as
	// plane.LambdaRules.
	ProvisionedRate float64
	// Standing, unless nil, has environments stand, and Concurrency, KeepAlive and what
	// bounds and provisions starts on demand is left out.
	Standing *Standing
	// LeastRecent has the environment serve that has been idle longest, and with
	// MaxConcurrency the one in which is least.
	LeastRecent bool

	// Launches bounds launches at once; those that wait are in the queue phase.
	// Twice the processors by default: more only compete.
	Launches int

	// SettleGrace is the longest that a trigger waits for an environment that has
	// answered but not asked for work again; 50 ms by default, since a small
	// environment may have to wait for its next CPU period of 20 ms to ask.
	SettleGrace time.Duration

	// Bounds of streamed responses in bytes and bytes a second, Lambda's if 0, none
	// if negative: 200 MB, of which 6 MB at once and the rest at 2 MB/s.
	MaxStream, StreamBurst, StreamRate int64

	// FreeText has a line for how an environment ended, as in Lambda's older logs,
	// beside the status in REPORT.
	FreeText bool

	// Log receives START, END and REPORT lines and what the function writes. It
	// is written from one goroutine; nil: nothing is kept but tails.
	Log io.Writer
}

func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = "function"
	}
	if c.Handler == "" {
		c.Handler = "bootstrap"
	}
	if c.LogGroup == "" {
		c.LogGroup = "/aws/lambda/" + c.Name
	}
	if c.Version == "" {
		c.Version = latest
	}
	if c.MemoryMB == 0 {
		c.MemoryMB = 128
	}
	if c.Timeout == 0 {
		c.Timeout = 3 * time.Second
	}
	if c.SnapStart {
		c.InitializationType = snapStart
	}
	if c.InitializationType == "" && (c.MaxConcurrency > 1 || c.Standing != nil) {
		c.InitializationType = ManagedInstances
	}
	c.NoFreeze = c.NoFreeze || c.Standing != nil
	if c.InitializationType == "" {
		c.InitializationType = onDemand
	}
	if c.managed() && c.LogFormat == "" {
		c.LogFormat = LogFormatJSON // the only one of Managed Instances, by whose requestId lines are told apart
	}
	if c.InitLimit == 0 && c.SnapStart {
		c.InitLimit = restoreLimit
	}
	if c.InitLimit == 0 {
		c.InitLimit = 10 * time.Second
		if c.InitializationType != onDemand {
			c.InitLimit = max(130*time.Second, c.Timeout)
		}
	}
	if c.SettleGrace == 0 {
		c.SettleGrace = 50 * time.Millisecond
	}
	if c.Launches == 0 {
		c.Launches = 2 * runtime.NumCPU()
	}
	return c
}

// Rules are those of the plane that decides for the function.
func (c Config) Rules() plane.LambdaRules {
	r := plane.LambdaRules{
		Concurrency: c.Concurrency, Reserved: c.Concurrency > 0, KeepAlive: c.KeepAlive, Lifetime: c.Lifetime,
		ScaleOutBurst: c.ScaleOutBurst, ScaleOutRate: c.ScaleOutRate, RequestRate: c.RequestRate, Provisioned: c.Provisioned, Restore: c.SnapStart,
		ScaleOut: c.ScaleOut, ProvisionedRate: c.ProvisionedRate, LeastRecent: c.LeastRecent, Slots: c.MaxConcurrency,
	}
	if c.Concurrency < 0 {
		r.Concurrency = math.MaxInt32
	}
	if r.ScaleOutBurst == 0 {
		r.ScaleOutBurst = -1
	}
	return r
}

// managed says that the rules of Lambda Managed Instances hold for an environment.
func (c Config) managed() bool { return c.InitializationType == ManagedInstances }

// places is how many invocations an environment serves at once.
func (c Config) places() int { return max(c.MaxConcurrency, 1) }

// processors is the share that invocations get, or 0 if that is all there are.
func (c Config) processors() float64 {
	share := float64(c.MemoryMB) / workloads.MBPerVCPU
	if share >= float64(runtime.NumCPU()) {
		return 0
	}
	return share
}

// ARN is the function's, as runtimes are told it.
func (c Config) ARN() string { return ARN(c.Name) }

// ARN is that of the function with this name.
func ARN(name string) string {
	return "arn:aws:lambda:" + Region + ":" + Account + ":function:" + name
}
