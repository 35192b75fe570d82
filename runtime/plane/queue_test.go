package plane

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// take receives up to ten messages at a second, and writes them as
// message x receives, with a cross for a dead and a dash for a dropped one.
func take(q *Queue, second float64) string {
	got, dead, dropped := q.Receive(seconds(second), 10, -1)
	var words []string
	for _, d := range got {
		words = append(words, fmt.Sprintf("%dx%d", d.Message, d.Receives))
	}
	for _, m := range dead {
		words = append(words, fmt.Sprintf("%d+", m))
	}
	for _, m := range dropped {
		words = append(words, fmt.Sprintf("%d-", m))
	}
	return strings.Join(words, " ")
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func TestAReceivedMessageIsHiddenForTheVisibilityTimeout(t *testing.T) {
	q := NewQueue(QueueRules{})
	q.Send(0, -1)
	equal(t, take(q, 1), "1x1")
	equal(t, take(q, 30.9), "")
	at, ok := q.Next(seconds(30.9))
	equal(t, fmt.Sprint(at, ok), "31s true")
	equal(t, take(q, 31), "1x2")
}

func TestADeletedMessageDoesNotComeBack(t *testing.T) {
	q := NewQueue(QueueRules{})
	q.Send(0, -1)
	take(q, 0)
	equal(t, q.Delete(1, 1), true)
	equal(t, q.Delete(1, 1), false)
	equal(t, take(q, 1000), "")
	equal(t, q.Counts(seconds(1000)), QueueCounts{})
}

func TestAnOldReceiptDeletesNothing(t *testing.T) {
	q := NewQueue(QueueRules{})
	q.Send(0, -1)
	take(q, 0)
	take(q, 30)
	equal(t, q.Delete(1, 1), false)
	equal(t, q.Delete(1, 2), true)
}

func TestAMessageThatTimedOutCanStillBeDeleted(t *testing.T) {
	q := NewQueue(QueueRules{})
	q.Send(0, -1)
	take(q, 0)
	equal(t, q.Counts(seconds(40)), QueueCounts{Visible: 1})
	equal(t, q.Delete(1, 1), true)
	equal(t, take(q, 40), "")
}

func TestADelayedMessageWaits(t *testing.T) {
	q := NewQueue(QueueRules{Delay: 5 * time.Second})
	q.Send(0, -1)
	q.Send(0, 0) // of its own
	equal(t, take(q, 4.9), "2x1")
	equal(t, q.Counts(seconds(4.9)), QueueCounts{InFlight: 1, Delayed: 1})
	equal(t, take(q, 5), "1x1")
}

func TestVisibilityIsChangedForOneMessage(t *testing.T) {
	q := NewQueue(QueueRules{})
	q.Send(0, -1)
	take(q, 0)
	equal(t, q.Hide(seconds(10), 1, 1, time.Minute), true)
	equal(t, take(q, 69), "")
	equal(t, q.Hide(seconds(69), 1, 1, 0), true)
	equal(t, take(q, 69), "1x2")
	equal(t, q.Hide(seconds(69), 1, 1, 0), false) // an old receipt
}

func TestAfterMaxReceivesAMessageIsDead(t *testing.T) {
	q := NewQueue(QueueRules{MaxReceives: 2})
	q.Send(0, -1)
	equal(t, take(q, 0)+","+take(q, 30)+","+take(q, 60)+","+take(q, 90), "1x1,1x2,1+,")
	equal(t, q.Counts(seconds(90)), QueueCounts{})
}

func TestAMessageIsDroppedAfterItsRetention(t *testing.T) {
	q := NewQueue(QueueRules{Retention: time.Minute})
	q.Send(0, -1)
	q.Send(seconds(30), -1)
	equal(t, take(q, 60), "2x1 1-")
}

func TestMessagesComeInTheOrderInWhichTheyWereSent(t *testing.T) {
	q := NewQueue(QueueRules{})
	for range 12 {
		q.Send(0, -1)
	}
	equal(t, take(q, 0), "1x1 2x1 3x1 4x1 5x1 6x1 7x1 8x1 9x1 10x1")
	equal(t, take(q, 0), "11x1 12x1")
}

func TestAPurgedQueueIsEmpty(t *testing.T) {
	q := NewQueue(QueueRules{})
	q.Send(0, -1)
	q.Send(0, time.Minute)
	take(q, 0)
	q.Purge()
	equal(t, q.Counts(seconds(100)), QueueCounts{})
	equal(t, take(q, 100), "")
}

// No message is lost, and none is with two at once, whatever is done.
func TestNoMessageIsLostOrDeliveredTwice(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		q := NewQueue(QueueRules{Visibility: 10 * time.Second})
		at, live, hiddenUntil := time.Duration(0), map[Message]bool{}, map[Message]time.Duration{}
		receives := map[Message]int{}
		for range 400 {
			at += time.Duration(r.IntN(3000)) * time.Millisecond
			switch r.IntN(4) {
			case 0:
				live[q.Send(at, time.Duration(r.IntN(2))*time.Second)] = true
			case 1:
				got, _, _ := q.Receive(at, 1+r.IntN(10), -1)
				for _, d := range got {
					if !live[d.Message] || hiddenUntil[d.Message] > at {
						t.Fatalf("seed %d: message %d came at %v", seed, d.Message, at)
					}
					hiddenUntil[d.Message], receives[d.Message] = at+10*time.Second, d.Receives
				}
			case 2:
				m := Message(1 + r.IntN(max(1, int(q.next))))
				if q.Delete(m, receives[m]) {
					delete(live, m)
				}
			}
			if c := q.Counts(at); c.Visible+c.InFlight+c.Delayed != len(live) {
				t.Fatalf("seed %d: %+v, %d are there", seed, c, len(live))
			}
		}
	}
}
