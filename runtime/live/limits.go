package live

import (
	"errors"
	"fmt"
	"time"
)

// Limits of a function's configuration (AWS Lambda quotas).
const (
	MinMemoryMB    = 128
	MaxMemoryMB    = 10_240
	MinEphemeralMB = 512
	MaxEphemeralMB = 10_240
	MaxTimeout     = 900 * time.Second
	MaxEnvBytes    = 4 << 10 // names and values of the function's own variables
)

// Check says what Lambda would refuse of c; zero values are defaults, and pass.
// New doesn't ask: a test or an experiment may go beyond.
func (c Config) Check() error {
	var size int
	for k, v := range c.Env {
		size += len(k) + len(v)
	}
	var errs []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	add(c.MemoryMB != 0 && (c.MemoryMB < MinMemoryMB || c.MemoryMB > MaxMemoryMB), "memory of %d MB: want %d to %d", c.MemoryMB, MinMemoryMB, MaxMemoryMB)
	add(c.EphemeralMB != 0 && (c.EphemeralMB < MinEphemeralMB || c.EphemeralMB > MaxEphemeralMB), "ephemeral storage of %d MB: want %d to %d", c.EphemeralMB, MinEphemeralMB, MaxEphemeralMB)
	add(c.Timeout != 0 && (c.Timeout < time.Second || c.Timeout > MaxTimeout), "timeout of %v: want %v to %v", c.Timeout, time.Second, MaxTimeout)
	add(size > MaxEnvBytes, "environment variables of %d bytes: want %d at most", size, MaxEnvBytes)
	return errors.Join(errs...)
}
