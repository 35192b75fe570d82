package engine

import (
	"errors"
	"fmt"
	"io"
	"time"

	"coldstorm/runtime/image"
	"coldstorm/runtime/live"
)

// Function is what is deployed. Zero values are live.Config's.
type Function struct {
	Name     string        `json:"name"`
	Handler  string        `json:"handler,omitempty"` // empty: the image's
	Image    image.Image   `json:"image"`
	MemoryMB int           `json:"memory_mb,omitempty"`
	Timeout  time.Duration `json:"timeout_ns,omitempty"`

	EphemeralMB int           `json:"ephemeral_mb,omitempty"` // size of /tmp
	Lifetime    time.Duration `json:"lifetime_ns,omitempty"`  // of an environment; 0: no end

	Init     time.Duration     `json:"init_limit_ns,omitempty"`
	Env      map[string]string `json:"env,omitempty"`
	NoFreeze bool              `json:"no_freeze,omitempty"`

	SnapStart bool `json:"snap_start,omitempty"` // environments are restored from a snapshot, taken as it is deployed

	// MaxConcurrency is the number of invocations that an environment serves at once, by
	// the rules of Lambda Managed Instances. Of one in an account it is that of a capacity
	// provider, whose environments never freeze. 0 is 1, by Lambda's own.
	MaxConcurrency int `json:"max_concurrency,omitempty"`
	// Standing has environments stand before the first trigger, by the rules of Lambda
	// Managed Instances; nil: they start on demand.
	Standing *live.Standing `json:"standing,omitempty"`

	Concurrency   int           `json:"concurrency,omitempty"`   // reserved; 0: the account's 1,000
	KeepAlive     time.Duration `json:"keep_alive_ns,omitempty"` // 0: reclaimed at once, negative: never
	ScaleOutBurst float64       `json:"scale_out_burst,omitempty"`
	ScaleOutRate  float64       `json:"scale_out_rate,omitempty"`
	RequestRate   float64       `json:"request_rate,omitempty"` // 0: ten times Concurrency; negative: no bound
	SettleGrace   time.Duration `json:"settle_grace_ns,omitempty"`

	Containers *Containers `json:"containers,omitempty"` // nil: execution environments
}

// check finds what can't be deployed.
func (f Function) check() error {
	switch {
	case f.Name == "":
		return errors.New("deploy: function without a name")
	case len(f.Image.Layers) == 0:
		return fmt.Errorf("deploy %s: image without layers", f.Name)
	case f.MemoryMB < 0 || f.Timeout < 0 || f.Init < 0 || f.Concurrency < 0 || f.MaxConcurrency < 0:
		return fmt.Errorf("deploy %s: negative memory, timeout or concurrency", f.Name)
	}
	return nil
}

func (f Function) config(log io.Writer) live.Config {
	handler := f.Handler
	if handler == "" {
		handler = f.Image.Handler
	}
	return live.Config{
		Name: f.Name, Handler: handler, Container: f.Image.Kind == image.KindContainer, ImageEnv: f.Image.Env, Runtime: f.Image.Runtime, MemoryMB: f.MemoryMB, Timeout: f.Timeout, InitLimit: f.Init,
		Env: f.Env, NoFreeze: f.NoFreeze, Concurrency: f.Concurrency, KeepAlive: f.KeepAlive,
		ScaleOutBurst: f.ScaleOutBurst, ScaleOutRate: f.ScaleOutRate, RequestRate: f.RequestRate,
		SettleGrace: f.SettleGrace, EphemeralMB: f.EphemeralMB, SnapStart: f.SnapStart, Lifetime: f.Lifetime, MaxConcurrency: f.MaxConcurrency, Standing: f.Standing, Log: log,
	}
}
