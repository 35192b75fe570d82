package api

import "coldstorm/results"

// Config describes the environment. Its hooks are called from the goroutine of
// the runtime's connection, without a lock; the runtime's next request waits
// until they return. A nil hook is not called.
type Config struct {
	FunctionName string // told to extensions
	Version      string // told to extensions; $LATEST if empty
	Handler      string // told to extensions
	AccountID    string // told to extensions that ask for it

	// Extensions names the external extensions that are being started: init ends
	// when the runtime and every extension ask for work.
	Extensions []string

	// MaxConcurrency is the number of invocations that the runtime takes at once,
	// each by a loop of its own over next (Lambda Managed Instances,
	// AWS_LAMBDA_MAX_CONCURRENCY). 0 is 1.
	MaxConcurrency int

	// SnapStart says that the runtime may wait for its restore with restore/next.
	SnapStart bool

	// Bounds of streamed responses in bytes and bytes a second: MaxStream,
	// StreamBurst and StreamRate if 0, none if negative.
	MaxStream, StreamBurst, StreamRate int64

	// Dial reaches the servers of extensions inside the sandbox, for telemetry.
	// Nil: there is none, and who asks for it is told so.
	Dial Dial

	Ready        func(results.Stamp) // the first next: init finished
	Idle         func(results.Stamp) // a next after an answer: the environment may be frozen
	InitError    func(InitError)     // the runtime gave up; it is expected to exit
	RestoreReady func(results.Stamp) // restore/next: a snapshot may be taken, and Restore wakes it
	RestoreError func(InitError)     // the runtime gave up after its restore

	Subscribed func() // an extension has, to telemetry

	// Exited is told of the end of a process by the supervisor that started it and
	// the others; of the runtime's, if the name is empty.
	Exited func(Exit)

	Registered     func(extension string, events []string)
	ExtensionError func(ExtensionError) // an extension gave up: the environment is of no more use
}

func (c Config) concurrency() int { return max(c.MaxConcurrency, 1) }

func (c Config) maxStream() int64 {
	if c.MaxStream == 0 {
		return MaxStream
	}
	return c.MaxStream
}

func (c Config) throttle(now results.Stamp) throttle {
	t := throttle{burst: StreamBurst, rate: StreamRate, at: now}
	if c.StreamBurst != 0 {
		t.burst = float64(max(c.StreamBurst, 0))
	}
	if c.StreamRate != 0 {
		t.rate = float64(c.StreamRate)
	}
	t.room = t.burst
	return t
}

// maxError is the limit of an error's body in bytes: of a runtime that takes
// several invocations at once it is 1 MiB (AWS Runtime Interface Emulator, its
// part for managed instances).
func (c Config) maxError() int64 {
	if c.concurrency() > 1 {
		return 1 << 20
	}
	return MaxPayload
}
