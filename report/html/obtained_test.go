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
