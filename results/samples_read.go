package results

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ReadSamples reads what WriteSamples wrote. The columns have to be those of
// Columns, in their order, or those of runs from before there were columns of
// events, of restores or of moments; an unknown one, and a cell that doesn't hold what
// its column does, is an error that names line and column. The first intended
// send of a series is the same stamp in all series, and no stamp of this boot.
func ReadSamples(r io.Reader) ([]Sample, error) {
	return readSamples(r, func(*Sample) bool { return true })
}

// readSamples returns those that keep says.
func readSamples(r io.Reader, keep func(*Sample) bool) ([]Sample, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("read samples: no header")
	}
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	if err := checkHeader(header); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	var samples []Sample
	known := interned{}
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return samples, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read samples: %w", err)
		}
		samples = append(samples, Sample{})
		if err := readRow(&samples[len(samples)-1], cells, known); err != nil {
			line, _ := in.FieldPos(0)
			return nil, fmt.Errorf("read samples: line %d, column %w", line, err)
		}
		if last := len(samples) - 1; !keep(&samples[last]) {
			samples = samples[:last]
		}
	}
}

// LoadSamples reads samples.csv of a run's folder.
func LoadSamples(dir string) ([]Sample, error) {
	return SelectSamples(dir, func(*Sample) bool { return true })
}

// SelectSamples reads those of samples.csv of which keep says so, as who wants a few
// of a million needs no room for the others. keep must not hold on to a sample.
func SelectSamples(dir string, keep func(*Sample) bool) ([]Sample, error) {
	path := filepath.Join(dir, SamplesFile)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	defer f.Close()
	samples, err := readSamples(f, keep)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return samples, nil
}

func checkHeader(header []string) error {
	want := Columns()
	for i, name := range header {
		if !slices.Contains(want, name) {
			return fmt.Errorf("unknown column %q", name)
		}
		if i >= len(want) || name != want[i] {
			return fmt.Errorf("column %d is %s, not %s", i+1, name, want[min(i, len(want)-1)])
		}
	}
	older := len(want) - len(wayColumns)
	switch len(header) {
	case len(want), older, older - 1, older - 1 - int(moments): // without events, restores, and moments
		return nil
	}
	return fmt.Errorf("no column %s", want[len(header)])
}

func readRow(s *Sample, cells []string, known interned) error {
	r := row{Sample: s, total: none, latency: none}
	for i, c := range columns[:len(cells)] {
		if err := c.read(&r, cells[i]); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for _, text := range []*string{&s.Series, &s.Payload, &s.Reason, &s.Environment, &s.Mode} {
		*text = known.one(*text)
	}
	s.Cause = Cause(known.one(string(s.Cause)))
	return nil
}

// interned keeps one copy of each text: a column of a million rows has a few.
// It also lets go of the line that the text was cut from.
type interned map[string]string

func (k interned) one(s string) string {
	if s == "" {
		return ""
	}
	if kept, ok := k[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	k[s] = s
	return s
}
