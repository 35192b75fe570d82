package live

import (
	"os"
	"time"
)

// What the executor of containers (package fleet) shares with environments.

// WithDefaults fills in what is 0.
func (c Config) WithDefaults() Config { return c.withDefaults() }

// Environ is what the process of an environment or container with this ID sees, as
// NAME=value.
func (c Config) Environ(id string) []string { return c.environ(c.streamName(id, time.Now())) }

// Output passes what a container writes to a log, in whole lines.
type Output struct{ output }

// NewOutput is one into l, which may be nil.
func NewOutput(l *Log) *Output { return &Output{output{log: l}} }

// Open reads the files until they end.
func (o *Output) Open(files []*os.File) { o.open(files) }

// Close waits for the end of the files, which comes with that of the sandbox.
func (o *Output) Close() { o.close() }
