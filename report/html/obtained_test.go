package html

import (
	"testing"

	"coldstorm/results"
)

func TestALauncherIsNamedAsWhatItIs(t *testing.T) {
	for _, c := range []struct {
		host results.Host
		want string
	}{
		{results.Host{}, "coldstorm's own"},
		{results.Host{Launcher: "builtin"}, "coldstorm's own"},
		{results.Host{Launcher: "process"}, "none: plain processes of this host, neither isolated nor limited"},
		{results.Host{Launcher: "oci:/usr/bin/crun", LauncherVersion: "crun version 1.8.1"}, "crun version 1.8.1, not coldstorm's own (oci:/usr/bin/crun)"},
		{results.Host{Launcher: "oci:/opt/mine"}, "oci:/opt/mine, not coldstorm's own"},
	} {
		if got := launcher(c.host); got != c.want {
			t.Errorf("%+v is %q, want %q", c.host, got, c.want)
		}
	}
}

func TestTheHardestStormIsOfRequestsIfThereIsOne(t *testing.T) {
	requests := results.Series{Name: "requests", Shape: "burst of 2 at once", Counts: results.Counts{Offered: 2, Served: 2}}
	events := results.Series{Name: "messages", Shape: "burst of 9 at once", Trigger: "queue, batches of up to 10", Counts: results.Counts{Offered: 9, Served: 1, Failed: 8}}
	run := results.Run{Series: []results.Series{events, requests}}
	if s, _ := hardest(run.Series); s.Name != "requests" {
		t.Errorf("%s is the hardest", s.Name)
	}
	if run.Series[0].Name != "messages" || run.Series[1].Name != "requests" {
		t.Error("the series were changed")
	}
	s, ok := hardest(run.Series[:1])
	if !ok || s.Name != "messages" {
		t.Fatal("a run of events has no hardest storm")
	}
	if d := stormTile(s).Detail[0]; d != "burst of 9 at once, of events: queue, batches of up to 10" {
		t.Errorf("its tile says %q", d)
	}
	if _, ok := hardest(nil); ok {
		t.Error("there is a hardest of none")
	}
}
