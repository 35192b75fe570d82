package main

import (
	"strings"
	"testing"

	"coldstorm/results"
	"coldstorm/runtime/image"
)

func TestARunSaysInWhichStateItMetThePageCache(t *testing.T) {
	left, gone, stuck := results.PageCache{Bytes: 2e6, Cached: 2e6}, results.PageCache{Bytes: 2e6, Dropped: true}, results.PageCache{Bytes: 2e6, Cached: 1e6, Dropped: true}
	for _, c := range []struct {
		storms []results.PageCache
		usr    bool
		want   string
	}{
		{nil, false, ""},
		{[]results.PageCache{{}}, false, ""},
		{[]results.PageCache{left, left}, false, "info page cache warm: the function's own files were left in it, 2.0 MB of 2.0 MB"},
		{[]results.PageCache{left, gone}, false, "info page cache cold: the function's own files (2.0 MB) were dropped"},
		{[]results.PageCache{gone}, true, "info page cache cold: the function's own files (2.0 MB, this host's /usr"},
		{[]results.PageCache{stuck, left}, false, "warn page cache: 1.0 MB of the 2.0 MB of the function's files stayed"},
	} {
		r := &runner{}
		for _, p := range c.storms {
			r.series = append(r.series, measured{Series: results.Series{PageCache: p}})
		}
		r.tellPages(image.Image{HostUsr: c.usr})
		var last string
		if n := len(r.run.Notes); n > 0 {
			last = string(r.run.Notes[n-1].Level) + " " + r.run.Notes[n-1].Text
		}
		if !strings.HasPrefix(last, c.want) || c.want == "" && last != "" {
			t.Errorf("%+v: %q, want %q", c.storms, last, c.want)
		}
	}
}
