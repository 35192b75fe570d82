package drive

import (
	"sync"

	"coldstorm/results"
)

// endings are triggers that have ended and were not observed yet.
type endings struct {
	mu   sync.Mutex
	all  []ending
	come chan struct{} // has a token when all is not empty
}

func (e *endings) add(more ...ending) {
	e.mu.Lock()
	e.all = append(e.all, more...)
	e.mu.Unlock()
	select {
	case e.come <- struct{}{}:
	default:
	}
}

// take empties it into into, which it returns.
func (e *endings) take(into []ending) []ending {
	e.mu.Lock()
	defer e.mu.Unlock()
	taken := e.all
	clear(into)
	e.all = into[:0]
	return taken
}

// watch observes triggers as they end, until all that were handed out have, and
// returns which those are.
func (f *fire) watch(handed <-chan struct{}, observe func(results.Sample)) []bool {
	seen := make([]bool, f.Schedule.Len())
	over := make(chan struct{})
	go func() {
		<-handed
		f.flying.Wait()
		close(over)
	}()
	var batch []ending
	for {
		select {
		case <-f.endings.come:
		case <-over:
			return seen
		}
		batch = f.endings.take(batch)
		for _, e := range batch {
			if f.Check != nil && !e.checked && e.got.answered() {
				go f.check(e)
				continue
			}
			s := f.judge(e)
			seen[s.Seq] = true
			observe(s)
			f.flying.Done()
		}
	}
}

// check holds a response's body against what it should be, which can take long.
func (f *fire) check(e ending) {
	e.checked, e.wrong = true, f.Check(e.got.body) != nil
	f.endings.add(e)
}
