package export_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"coldstorm/report/export"
	"coldstorm/results"
)

// TestVegetaReadsItsResults decodes each format as 'vegeta report' does: by a
// decoder that finds the encoding out itself.
func TestVegetaReadsItsResults(t *testing.T) {
	at := results.Now()
	samples := []results.Sample{
		{Series: "storm", Seq: 0, Intended: at, Sent: at + 500, Done: at.Add(20 * time.Millisecond), Outcome: results.OutcomeServed, Status: 200, Bytes: 7},
		{Series: "storm", Seq: 1, Intended: at.Add(time.Second), Sent: at.Add(time.Second), Done: at.Add(2 * time.Second), Outcome: results.OutcomeFailed, Status: 503, Reason: "HTTP 503"},
		{Series: "storm", Seq: 2, Intended: at.Add(time.Second), Done: at.Add(time.Second + 9), Outcome: results.OutcomeFailed, Reason: "connection refused"},
		{Series: "storm", Seq: 3, Intended: at.Add(time.Second), Outcome: results.OutcomeUnsent},
	}
	want := []vegeta.Result{
		{Attack: "storm", Seq: 0, Code: 200, Timestamp: at.Time(), Latency: 20 * time.Millisecond, BytesIn: 7, BytesOut: 3, Method: "POST", URL: "http://h/0"},
		{Attack: "storm", Seq: 1, Code: 503, Timestamp: at.Add(time.Second).Time(), Latency: time.Second, BytesOut: 3, Method: "POST", URL: "http://h/1", Error: "HTTP 503"},
		{Attack: "storm", Seq: 2, Timestamp: at.Add(time.Second).Time(), Latency: 9, BytesOut: 3, Method: "POST", URL: "http://h/2", Error: "connection refused"},
	}
	for _, format := range export.VegetaFormats {
		var buf bytes.Buffer
		err := export.Vegeta(&buf, format, slices.Values(samples), func(s results.Sample) export.Sent {
			return export.Sent{Method: "POST", URL: "http://h/" + string(rune('0'+s.Seq)), Bytes: 3}
		})
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		decode := vegeta.DecoderFor(&buf)
		if decode == nil {
			t.Fatalf("%s: vegeta doesn't know the encoding", format)
		}
		var got []vegeta.Result
		for {
			var r vegeta.Result
			err := decode(&r)
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			got = append(got, r)
		}
		if !slices.EqualFunc(got, want, vegeta.Result.Equal) {
			t.Errorf("%s: %+v\nwant %+v", format, got, want)
		}
	}
}

func TestVegetaHasNoOtherFormat(t *testing.T) {
	err := export.Vegeta(io.Discard, "xml", slices.Values([]results.Sample(nil)), nil)
	if err == nil || !strings.Contains(err.Error(), "gob, json, csv") {
		t.Errorf("%v", err)
	}
}
