package chart

import (
	"strings"
	"testing"

	"coldstorm/results"
)

func TestWhyNoModelIsCheapest(t *testing.T) {
	var steady results.Projection
	steady.Offered, steady.Steady.Counts.Offered = true, 10
	storms := results.Projection{Offered: true}
	for want, list := range map[string][]results.Projection{
		"no model was projected": {{}},
		"no steady rate":         {{}, storms},
		"no model serves":        {storms, steady},
	} {
		if got := NoneCheapest(results.Run{Projections: list}); !strings.HasPrefix(got, want) {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}
