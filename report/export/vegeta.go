package export

import (
	"fmt"
	"io"
	"iter"
	"strings"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"coldstorm/results"
)

// VegetaFormats are vegeta's encodings of results.
var VegetaFormats = []string{"gob", "json", "csv"}

// Sent is what went out with a trigger, of which a sample says nothing.
type Sent struct {
	Method, URL string
	Bytes       int // of the body
}

// Vegeta writes samples in one of VegetaFormats, by vegeta's own encoder: what
// 'vegeta report', 'vegeta plot' and 'vegeta encode' read. Timestamp is the
// intended send, so that Latency counts from it. sent says what a sample's
// trigger was. What was never sent is no result.
func Vegeta(w io.Writer, format string, samples iter.Seq[results.Sample], sent func(results.Sample) Sent) error {
	encode, err := vegetaEncoder(w, format)
	if err != nil {
		return err
	}
	for s := range samples {
		if s.Outcome == results.OutcomeUnsent || s.Intended == 0 {
			continue
		}
		to := sent(s)
		if err := encode(&vegeta.Result{
			Attack: s.Series, Seq: s.Seq, Code: uint16(s.Status), Timestamp: s.Intended.Time().Round(0),
			Latency: s.Latency(), BytesOut: uint64(to.Bytes), BytesIn: uint64(s.Bytes),
			Error: vegetaError(s), Method: to.Method, URL: to.URL,
		}); err != nil {
			return fmt.Errorf("write results for vegeta: %w", err)
		}
	}
	return nil
}

func vegetaEncoder(w io.Writer, format string) (vegeta.Encoder, error) {
	switch format {
	case "gob":
		return vegeta.NewEncoder(w), nil
	case "json":
		return vegeta.NewJSONEncoder(w), nil
	case "csv":
		return vegeta.NewCSVEncoder(w), nil
	}
	return nil, fmt.Errorf("format %q is none of %s", format, strings.Join(VegetaFormats, ", "))
}

// vegetaError is empty where vegeta's is: of a response from 200 to 399, unless
// the sample says that it was a failure all the same.
func vegetaError(s results.Sample) string {
	if s.Outcome == results.OutcomeServed {
		return ""
	}
	if s.Reason != "" {
		return s.Reason
	}
	return string(s.Outcome)
}
