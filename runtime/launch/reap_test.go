package launch

import "testing"

// A pid comes again, of a sandbox that died as it waited and is yet to be removed: that
// doesn't have the daemon forget the other.
func TestTwoOfOnePidThatWaited(t *testing.T) {
	d := &daemon{runtime: Runtime{kind: builtin}, cg: &cgroups{}, boxes: map[int64]*box{}, pids: map[int]*box{}, early: map[int]death{}}
	d.pool = newPool(d, 0)
	first, second := &box{pid: 7}, &box{pid: 7}
	d.book(first)
	delete(d.pids, 7)
	d.book(second)
	if len(d.boxes) != 2 {
		t.Errorf("%d known, want 2", len(d.boxes))
	}
	if !d.adopt(second, 1) {
		t.Error("the second is gone")
	}
	if len(d.boxes) != 2 || d.boxes[1] != second || d.boxes[first.id] != first {
		t.Errorf("%v known after one was launched", d.boxes)
	}
}
