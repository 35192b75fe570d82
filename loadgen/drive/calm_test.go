package drive

import (
	"context"
	"testing"
)

func TestCalibrationTellsSleepsAndTheClock(t *testing.T) {
	c := Calibrate(t.Context())
	h := c.Hiccups
	if h.N != calmSleeps || h.Min < 0 || h.P50 < h.Min || h.P99 < h.P50 || h.Max < h.P99 || h.Max == 0 {
		t.Errorf("hiccups %+v", h)
	}
	if c.Others < 0 || c.Others > 1 {
		t.Errorf("others use %v of the cores", c.Others)
	}
	if c.Clock <= 0 {
		t.Errorf("a reading of the clock takes %v", c.Clock)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c := Calibrate(ctx); c.Hiccups.N != 0 {
		t.Errorf("after its end: %+v", c.Hiccups)
	}
}

func TestPressureIsReadFromTheKernelsText(t *testing.T) {
	const text = "some avg10=3.68 avg60=5.01 avg300=9.41 total=2796333568\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
	for _, tt := range []struct {
		text string
		want float64
	}{{text, 2796.333568}, {"", -1}, {"some avg10=0.00 total=x\n", -1}, {"full total=1\n", -1}} {
		if got := parsePressure([]byte(tt.text)); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestPressureIsAShareOfTheStorm(t *testing.T) {
	var before usage
	before.waited = 10
	after := before
	after.at = before.at.Add(4e9)
	after.waited = 13
	if got := after.since(before).pressure; got == nil || *got != 0.75 {
		t.Errorf("3 s of 4: %v", got)
	}
	after.waited = -1
	if got := after.since(before).pressure; got != nil {
		t.Errorf("a kernel that doesn't tell: %v", *got)
	}
}

func TestAHostWithoutAProcessorToSpareLimits(t *testing.T) {
	share := 0.9
	r := Report{Sent: 10}
	r.Generator.CPUPressure = &share
	if why := r.limits(nil); len(why) != 1 || why[0] != "something waited for a core for 90 % of the time" {
		t.Error(why)
	}
	share = 0.5
	if why := r.limits(nil); len(why) != 0 {
		t.Error(why)
	}
}
