package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"coldstorm/report/export"
	"coldstorm/results"
)

// checkOutput refuses results that could not be written, before the storm.
func (o *stormOptions) checkOutput() error {
	if !slices.Contains(export.VegetaFormats, o.format) {
		hint := "of targets, the format is found out"
		return usageError(hint, "--format %s is none of %s", o.format, strings.Join(export.VegetaFormats, ", "))
	}
	if o.output == "" && o.given("format") {
		return usageError("name a file with --output, or - for stdout", "--format goes with --output")
	}
	if o.output == "" || o.output == "-" {
		return nil
	}
	info, err := os.Stat(filepath.Dir(o.output))
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", filepath.Dir(o.output))
	}
	if at, serr := os.Stat(o.output); err == nil && serr == nil && at.IsDir() {
		err = fmt.Errorf("%s is a folder", o.output)
	}
	if err != nil {
		return usageError("", "--output: %w", err)
	}
	return nil
}

// writeOutput writes every result as vegeta has them.
func (s *stormer) writeOutput() error {
	if s.o.output == "" {
		return nil
	}
	write := func(w io.Writer) error { return export.Vegeta(w, s.o.format, s.samples(), s.sent) }
	if s.o.output == "-" {
		return write(s.app.stdout)
	}
	if info, err := os.Stat(s.o.output); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(s.o.output, os.O_WRONLY, 0) // a pipe or a device stays what it is
		if err != nil {
			return err
		}
		defer f.Close()
		return write(f)
	}
	return results.Replace(s.o.output, write)
}

// sent is what went out with a sample's trigger.
func (s *stormer) sent(x results.Sample) export.Sent {
	t := s.targets[x.Seq%uint64(len(s.targets))]
	out := export.Sent{Method: t.Method, URL: t.URL, Bytes: len(t.Body)}
	for _, p := range s.payloads {
		if p.Name == x.Payload {
			out.Bytes = len(p.Body)
		}
	}
	return out
}
