package launch

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestEndUntilNone says that each process is told of once however long it takes to die,
// that the processors are left to it meanwhile, and that there is an end to that.
func TestEndUntilNone(t *testing.T) {
	for _, c := range []struct {
		rule  string
		found [][]int // each time; the last is found for ever
		want  []int
	}{
		{"none", [][]int{nil}, nil},
		{"they die at once", [][]int{{5, 6}, nil}, []int{5, 6}},
		{"one takes its time, and had forked", [][]int{{5, 6}, {6}, {6, 7}, nil}, []int{5, 6, 7}},
		{"one never dies", [][]int{{5}}, []int{5}},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls, last := 0, time.Time{}
			got := endUntilNone(func() []int {
				if calls > 0 && !time.Now().After(last) {
					t.Errorf("%s: looked again without a pause", c.rule)
				}
				calls, last = calls+1, time.Now()
				return c.found[min(calls, len(c.found))-1]
			})
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", c.rule, got, c.want)
			}
		})
	}
}
