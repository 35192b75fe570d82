package plane

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// inOrder is a FIFO queue with messages of groups: a letter each.
func inOrder(r QueueRules, groups string) *Queue {
	r.FIFO = true
	q := NewQueue(r)
	for _, g := range groups {
		q.SendIn(0, string(g))
	}
	return q
}

func TestMessagesOfAGroupComeTogetherAndInOrder(t *testing.T) {
	q := inOrder(QueueRules{}, "abaab")
	equal(t, take(q, 0), "1x1 3x1 4x1 2x1 5x1")
}

func TestAGroupIsBlockedWhileOneOfItsMessagesIsInFlight(t *testing.T) {
	q := inOrder(QueueRules{}, "aab")
	got, _, _ := q.Receive(0, 1, -1)
	equal(t, fmt.Sprint(got[0].Message), "1")
	equal(t, take(q, 1), "3x1")
	equal(t, take(q, 2), "")
	equal(t, q.Delete(1, 1), true)
	equal(t, take(q, 3), "2x1")
}

func TestAMessageThatTimedOutComesBeforeTheRestOfItsGroup(t *testing.T) {
	q := inOrder(QueueRules{Visibility: 10 * time.Second}, "aaa")
	q.Receive(0, 2, -1)
	q.Delete(1, 1)
	equal(t, take(q, 9), "")
	equal(t, take(q, 10), "2x2 3x1")
}

func TestAReceiptOfAFIFOQueueEndsWithItsVisibilityTimeout(t *testing.T) {
	q := inOrder(QueueRules{Visibility: 10 * time.Second}, "a")
	take(q, 0)
	q.Counts(seconds(10))
	equal(t, q.Delete(1, 1), false)
	equal(t, take(q, 11), "1x2")
}

func TestADeadMessageUnblocksItsGroup(t *testing.T) {
	q := inOrder(QueueRules{Visibility: 10 * time.Second, MaxReceives: 1}, "aa")
	q.Receive(0, 1, -1)
	equal(t, take(q, 10), "2x1 1+")
}

func TestADelayedMessageHoldsItsGroup(t *testing.T) {
	q := NewQueue(QueueRules{FIFO: true, Delay: 5 * time.Second})
	q.SendIn(0, "a")
	q.SendIn(seconds(1), "a")
	equal(t, take(q, 4), "")
	equal(t, take(q, 5), "1x1")
	q.Delete(1, 1)
	equal(t, take(q, 6), "2x1")
}

func TestAHiddenMessageThatIsShownFreesItsGroup(t *testing.T) {
	q := inOrder(QueueRules{}, "aa")
	q.Receive(0, 1, -1)
	equal(t, q.Hide(seconds(1), 1, 1, 0), true)
	equal(t, take(q, 1), "1x2 2x1")
}

func TestPurgedGroupsAreForgotten(t *testing.T) {
	q := inOrder(QueueRules{}, "ab")
	q.Purge()
	equal(t, take(q, 1), "")
	q.SendIn(seconds(1), "a")
	equal(t, take(q, 1), "3x1")
}

// Whatever is received, deleted and shown, messages of a group are handled in order, one
// receipt at a time of a group, and each is deleted once.
func TestPropertyGroupsKeepTheirOrder(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		q := NewQueue(QueueRules{FIFO: true, Visibility: 30 * time.Second})
		group, last, flying, deleted := map[Message]string{}, map[string]Message{}, map[Message]Delivery{}, 0
		at := 0.0
		const sent = 300
		for len(group) < sent || deleted < sent {
			at += r.Float64() * 5
			for id, d := range flying { // shown again
				if r.IntN(4) == 0 && q.Hide(seconds(at), id, d.Receives, 0) {
					delete(flying, id)
				}
			}
			if len(group) < sent {
				name := fmt.Sprint("g", r.IntN(6))
				group[q.SendIn(seconds(at), name)] = name
			}
			got, _, _ := q.Receive(seconds(at), 1+r.IntN(5), 1000*time.Hour)
			newest := map[string]Message{}
			for _, d := range got {
				g := group[d.Message]
				for id := range flying {
					if group[id] == g {
						t.Fatalf("seed %d: %d of %s while %d is in flight", seed, d.Message, g, id)
					}
				}
				if d.Message <= last[g] || d.Message <= newest[g] {
					t.Fatalf("seed %d: %d of %s after %d", seed, d.Message, g, max(last[g], newest[g]))
				}
				newest[g] = d.Message
			}
			for _, d := range got {
				flying[d.Message] = d
			}
			for id, d := range flying {
				if r.IntN(3) > 0 {
					continue
				}
				older := false
				for other := last[group[id]] + 1; other < id; other++ {
					older = older || group[other] == group[id]
				}
				if older {
					continue // handled in order
				}
				if !q.Delete(id, d.Receives) {
					t.Fatalf("seed %d: %d can't be deleted", seed, id)
				}
				last[group[id]] = id
				delete(flying, id)
				deleted++
			}
		}
		if c := q.Counts(seconds(at)); c != (QueueCounts{}) || len(q.groups) != 0 {
			t.Fatalf("seed %d: %+v and %d groups are left", seed, c, len(q.groups))
		}
	}
}
