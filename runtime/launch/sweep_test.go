package launch

import (
	"testing"
)

// What is dead stays while launches go on, and goes as soon as somebody asks for it.
func TestRemovalWaitsForCalm(t *testing.T) {
	d := &daemon{runtime: Runtime{kind: builtin}}
	d.pool = newPool(d, 0)
	s := newSweeper(d)
	var asked int
	if b, more := s.next(&asked); b != nil || more {
		t.Errorf("of nothing: %v, %v", b, more)
	}
	first, second := &box{group: "s1"}, &box{group: "s2"}
	d.pool.busy(1)
	s.leave(first)
	s.leave(second)
	if b, more := s.next(&asked); b != nil || !more {
		t.Errorf("during a launch: %v, %v", b, more)
	}
	d.pool.busy(-1)
	if b, more := s.next(&asked); b != first || !more {
		t.Errorf("with none since: %v, %v", b, more)
	}
	d.pool.busy(1)
	d.pool.busy(-1)
	if b, more := s.next(&asked); b != nil || !more {
		t.Errorf("after a launch since: %v, %v", b, more)
	}
	d.pool.busy(1)
	s.hurry(+1)
	if b, _ := s.next(&asked); b != second {
		t.Errorf("in haste: %v", b)
	}
	s.hurry(-1)
	for range mostDead + 1 {
		s.leave(&box{group: "s3"})
	}
	if b, _ := s.next(&asked); b == nil {
		t.Error("more than are to be left: none goes")
	}
	if b, _ := s.next(&asked); b != nil {
		t.Error("as many as can be left, during a launch: one goes")
	}
}
