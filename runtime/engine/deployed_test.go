package engine

import (
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

func TestACopyThatKeepsNothingIsColdBesideAWarmOne(t *testing.T) {
	e := begin(t, Config{})
	deploy(t, e, Function{})
	img, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	cold := Function{Name: "f-cold", Image: img, Timeout: time.Minute, Init: time.Minute, SettleGrace: time.Minute} // no KeepAlive
	if err := e.Beside(cold); err != nil {
		t.Fatal(err)
	}
	ask := func(name string, want results.Start) {
		t.Helper()
		a, err := invoked(e, name, "1")
		if err != nil || a.status != 200 || a.evidence.Start != want {
			t.Fatalf("%s: status %d, %s start, error %v, want a %s one", name, a.status, a.evidence.Start, err, want)
		}
	}
	ask("f", results.StartCold)
	for range 3 {
		ask("f-cold", results.StartCold)
		ask("f", results.StartWarm)
	}
	if err := e.Beside(cold); err == nil || !strings.Contains(err.Error(), "one of that name") {
		t.Errorf("deployed twice: error %v", err)
	}
	if err := e.Beside(Function{Name: "f-restored", Image: img, SnapStart: true}); err == nil {
		t.Error("a copy with SnapStart was deployed")
	}
	deploy(t, e, Function{})
	ask("f", results.StartCold)
	if a, err := invoked(e, "f-cold", "1"); err != nil || a.status != 404 {
		t.Errorf("the copy of an earlier deployment: status %d, error %v", a.status, err)
	}
}
