package trace

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Trace is what a file holds: functions, and when each was invoked.
type Trace struct {
	Format    Format
	Span      time.Duration // of the trace: from 0, its start, to its end
	Functions []Function    // as the file has them first
}

// Function is one function of a trace. Its arrivals are either known, or counted.
type Function struct {
	Name     string
	Trigger  string      // what invoked it, in the trace's own word; empty where not known
	MemoryMB int         // 0 where not known
	Duration Percentiles // of its invocations; zero where not known

	arrivals []time.Duration // known, in ascending order
	counts   counts          // or counted
}

// Percentiles are what a trace tells of a function's durations. The zero value is
// nothing.
type Percentiles struct {
	Min, P25, P50, P75, P99, Max time.Duration
}

// Known reports whether there is anything.
func (p Percentiles) Known() bool { return p.Max > 0 }

// Invocations is how often the function was invoked.
func (f *Function) Invocations() int64 {
	if f.arrivals != nil {
		return int64(len(f.arrivals))
	}
	return f.counts.total
}

// Invocations is how often all functions were invoked.
func (t *Trace) Invocations() int64 {
	var n int64
	for i := range t.Functions {
		n += t.Functions[i].Invocations()
	}
	return n
}

// Format names the form of a file.
type Format string

// The formats; the package's documentation has them in a table.
const (
	Azure2019  Format = "azure2019"
	Azure2021  Format = "azure2021"
	Huawei2023 Format = "huawei2023"
	Huawei2025 Format = "huawei2025"
	IBM        Format = "ibm"
	Vegeta     Format = "vegeta"
	Log        Format = "log"
	JSON       Format = "json"
	CSV        Format = "csv"
)

// Formats lists every Format.
var Formats = []Format{Azure2019, Azure2021, Huawei2023, Huawei2025, IBM, Vegeta, Log, JSON, CSV}

// Open reads the file at path. With an empty format it is told from the first line.
// An error names the line, and what was expected there.
func Open(path string, format Format) (*Trace, error) {
	r, done, err := open(path)
	if err != nil {
		return nil, err
	}
	defer done()
	t, err := Read(r, format)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if t.Format == Azure2019 {
		if err := t.beside(path); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func open(path string) (io.Reader, func(), error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	if !strings.HasSuffix(path, ".gz") {
		return f, func() { f.Close() }, nil
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return z, func() { f.Close() }, nil
}

// beside reads the files of durations and memory that go with Azure's invocations.
func (t *Trace) beside(path string) error {
	dir, name := filepath.Split(path)
	for kind, read := range map[string]func(io.Reader) error{"durations": t.readDurations, "memory": t.readMemory} {
		other := strings.NewReplacer(
			"invocations_per_function_md.anon", map[string]string{"durations": "function_durations_percentiles.anon", "memory": "app_memory_percentiles.anon"}[kind],
			"invocations", kind,
		).Replace(name)
		if other == name {
			continue
		}
		r, done, err := open(filepath.Join(dir, other))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		err = read(r)
		done()
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, other), err)
		}
	}
	return nil
}

// Read reads a trace. With an empty format it is told from the first line.
func Read(r io.Reader, format Format) (*Trace, error) {
	b := bufio.NewReaderSize(r, 256<<10)
	if format == "" {
		first, err := b.Peek(b.Size())
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return nil, err
		}
		if format = detect(first); format == "" {
			return nil, fmt.Errorf("line 1: no trace that is known: %.60q", firstLine(first))
		}
	}
	m := &maker{trace: Trace{Format: format}, names: map[string]int{}}
	read, ok := readers[format]
	if !ok {
		return nil, fmt.Errorf("no format %q", format)
	}
	if err := read(m, b); err != nil {
		return nil, err
	}
	return m.end()
}

var readers = map[Format]func(*maker, *bufio.Reader) error{
	Azure2019: azure2019, Azure2021: azure2021, Huawei2023: huawei2023, Huawei2025: huawei2025,
	IBM: ibm, Vegeta: vegeta, Log: accessLog, JSON: jsonLog, CSV: timesCSV,
}

// maker collects a trace while it is read.
type maker struct {
	trace Trace
	names map[string]int // of functions, to their position
	spans map[int]*spread
}

// spread are durations that were seen of a function, for its percentiles.
type spread struct {
	seen []time.Duration
	n    int
}

// function returns the function of a name, a new one the first time.
func (m *maker) function(name string) *Function {
	i, ok := m.names[name]
	if !ok {
		i = len(m.trace.Functions)
		m.names[strings.Clone(name)] = i
		m.trace.Functions = append(m.trace.Functions, Function{Name: strings.Clone(name)})
	}
	return &m.trace.Functions[i]
}

// arrive adds one arrival, and how long it took if that is known.
func (m *maker) arrive(name string, at, took time.Duration) {
	f := m.function(name)
	f.arrivals = append(f.arrivals, at)
	if took <= 0 {
		return
	}
	if m.spans == nil {
		m.spans = map[int]*spread{}
	}
	i := m.names[name]
	s := m.spans[i]
	if s == nil {
		s = &spread{}
		m.spans[i] = s
	}
	s.add(took)
}

// keptDurations bounds what is kept of a function's durations: a sample of them,
// each of which has the same chance (Vitter's algorithm R, with a fixed sequence in
// the place of chance, so that the same file gives the same).
const keptDurations = 1024

func (s *spread) add(d time.Duration) {
	s.n++
	if len(s.seen) < keptDurations {
		s.seen = append(s.seen, d)
		return
	}
	if at := int(mix(uint64(s.n)) % uint64(s.n)); at < keptDurations {
		s.seen[at] = d
	}
}

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (s *spread) percentiles() Percentiles {
	slices.Sort(s.seen)
	at := func(q float64) time.Duration { return s.seen[min(int(q*float64(len(s.seen))), len(s.seen)-1)] }
	return Percentiles{s.seen[0], at(0.25), at(0.5), at(0.75), at(0.99), s.seen[len(s.seen)-1]}
}

// end puts the arrivals in order, from the first on where they are times of a clock,
// and finds the span.
func (m *maker) end() (*Trace, error) {
	t := &m.trace
	var first, last time.Duration = 1<<63 - 1, 0
	for i := range t.Functions {
		f := &t.Functions[i]
		slices.Sort(f.arrivals)
		if n := len(f.arrivals); n > 0 {
			first, last = min(first, f.arrivals[0]), max(last, f.arrivals[n-1]+1) // a span ends after its last arrival
		}
		last = max(last, f.counts.end())
		if s := m.spans[i]; s != nil {
			f.Duration = s.percentiles()
		}
	}
	if t.Invocations() == 0 {
		return nil, fmt.Errorf("no invocation in %d functions", len(t.Functions))
	}
	if clocked[t.Format] {
		for i := range t.Functions {
			for j := range t.Functions[i].arrivals {
				t.Functions[i].arrivals[j] -= first
			}
		}
		last -= first
	}
	t.Span = max(t.Span, last)
	return t, nil
}

// clocked are the formats whose times are those of a clock: the trace starts with the
// first of them.
var clocked = map[Format]bool{Vegeta: true, Log: true, JSON: true, CSV: true, IBM: true, Huawei2025: true}
