package results

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// quote appends a cell of text, in quotes where CSV (RFC 4180) wants them.
func quote(b []byte, s string) []byte {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if !strings.ContainsAny(s, `",`) && !strings.HasPrefix(s, " ") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// WriteSamples writes samples as samples.csv has them, in their order. A sample
// that was never intended, unless it is unsent, or has no outcome or start of the vocabulary, is an
// error, before anything is written: it could not be read back.
func WriteSamples(w io.Writer, samples []Sample) error {
	return writeSamples(w, slices.Values(samples))
}

// writeSamples goes over samples twice.
func writeSamples(w io.Writer, samples iter.Seq[Sample]) error {
	base := map[string]Stamp{}
	for s := range samples {
		if err := sound(s); err != nil {
			return fmt.Errorf("write samples: number %d of %s %w", s.Seq, s.Series, err)
		}
		if first, ok := base[s.Series]; s.Intended != 0 && (!ok || s.Intended < first) {
			base[s.Series] = s.Intended
		}
	}
	out := bufio.NewWriterSize(w, 1<<16) // keeps the first error for Flush
	line := []byte(strings.Join(Columns(), ",") + "\n")
	var s Sample // of each row in turn
	for s = range samples {
		if _, err := out.Write(line); err != nil {
			break
		}
		line = line[:0]
		r := row{Sample: &s, base: base[s.Series]}
		for _, c := range columns {
			line = append(c.write(line, r), ',')
		}
		line[len(line)-1] = '\n'
	}
	out.Write(line)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write samples: %w", err)
	}
	return nil
}

func sound(s Sample) error {
	switch {
	case s.Intended == 0 && s.Outcome != OutcomeUnsent:
		return errors.New("has no intended send")
	case !slices.Contains(Outcomes, s.Outcome):
		return fmt.Errorf("has outcome %q", s.Outcome)
	case !slices.Contains(starts, s.Start):
		return fmt.Errorf("has start %q", s.Start)
	}
	return nil
}

// Columns names the columns of samples.csv in their order.
func Columns() []string {
	var all []string
	for _, c := range columns {
		all = append(all, c.name)
	}
	return all
}

// SaveSamples writes samples.csv into a run's folder, as a whole or not at all. It
// goes over samples twice, and holds one at a time.
func SaveSamples(dir string, samples iter.Seq[Sample]) error {
	return Replace(filepath.Join(dir, SamplesFile), func(w io.Writer) error { return writeSamples(w, samples) })
}
