package workloads

import (
	"runtime"
	"time"
)

// The bounds of a scenario's values. Memory, timeout and the size of a payload
// are AWS Lambda's quotas; the others keep a slip of the pen from filling this
// machine.
const (
	MinMemoryMB       = 128
	MaxMemoryMB       = 10240
	MinTimeout        = time.Second
	MaxTimeout        = 900 * time.Second
	MaxPayload        = 6_291_556  // bytes of a synchronous event, as AWS's error message states them
	MaxEvent          = 1 << 20    // bytes of an asynchronous event, and of a message (AWS Lambda and Amazon SQS quotas)
	MaxEnv            = 4096       // bytes of all names and values of a function's variables
	MaxPerEnvironment = 1600       // invocations at once in an environment of Lambda Managed Instances (AWS API reference)
	MaxImageMB        = 100_000    // of a container image as it is pulled
	MaxTriggers       = 10_000_000 // of one storm: its schedule stands in memory

	maxWarmPool = 10_000 // instances
	maxZones    = 6      // of us-east-1, which has most

	// Of a target group (Elastic Load Balancing API reference: CreateTargetGroup and
	// TargetGroupAttribute).
	minSlowStart, maxSlowStart           = 30 * time.Second, 900 * time.Second
	minHealthInterval, maxHealthInterval = 5 * time.Second, 300 * time.Second
	minUnhealthy, maxUnhealthy           = 2, 10
	minDeregistration, maxDeregistration = time.Second, time.Hour // 0 is a delay too there: of requests that are cut off at once
	minStop, maxStop                     = time.Second, time.Hour // ECS has 2 s at least on Linux, and 120 s at most on Fargate

	restartBackoff         = 10 * time.Second       // that Kubernetes and ECS begin with
	minRestart, maxRestart = time.Second, time.Hour // Kubernetes has 1 s at least (KubeletConfiguration: crashLoopBackOff.maxContainerRestartPeriod)

	maxRate        = 10_000_000 // triggers a second
	minSteady      = 0.0001     // triggers a second of a projection: 100,000 take 32 years, and virtual time ends at 292
	maxSpan        = 24 * time.Hour
	maxConcurrency = 100_000
	maxWeight      = 1_000_000
	maxBurst       = 100_000 // of a sweep
	maxRepeats     = 100
	maxCPUFactor   = 100
	maxSteps       = 10_000
	maxSources     = 10_000
	maxClients     = 10_000
	maxGaps        = 1_000 // of a list, and of a ladder
	maxTimes       = MaxTriggers
	maxFunctions   = 1_000
	maxParts       = 64 // of one composition: each trigger of an overlay is looked for in all
	maxNested      = 8  // compositions in compositions
)

// MBPerVCPU is the memory that gives a Lambda function one vCPU (AWS
// documentation: "Configure Lambda function memory").
const MBPerVCPU = 1769

// What a scenario gets where it says nothing.
const (
	// DefaultMemoryMB is one vCPU, so that what is measured compares with the
	// models that sell whole vCPUs.
	DefaultMemoryMB = MBPerVCPU
	DefaultTimeout  = 30 * time.Second
	// DefaultKeepAlive is the low end of what was last measured on AWS, which
	// publishes none: 5 to 7 minutes (M. Shilkov, 2021).
	DefaultKeepAlive = 5 * time.Minute
	DefaultRuntime   = "provided.al2023"
	RuntimeImage     = "image" // what a container image has instead of a runtime; set by what opens one
	DefaultRepeats   = 3
	DefaultRate      = 10.0 // triggers a second
	DefaultRegion    = "us-east-1"
	DefaultSeed      = 1
)

// DefaultRates is the grid of the break-even curve, in triggers a second.
func DefaultRates() []float64 { return []float64{0.01, 0.1, 1, 10, 100, 1000, 10_000} }

// Architectures lists the processors that AWS offers functions on.
var Architectures = []string{"x86_64", "arm64"}

// hostArchitecture is the host's, as AWS names it.
func hostArchitecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}
