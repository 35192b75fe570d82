package plane

// fifo is a queue. The zero value is empty. It reuses its memory.
type fifo[T comparable] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) front() *T { return &q.items[q.head] }

func (q *fifo[T]) push(v T) {
	if q.head > 32 && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, v)
}

func (q *fifo[T]) pop() T {
	v := q.items[q.head]
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return v
}

// all is what is in it, the oldest first, until the next change.
func (q *fifo[T]) all() []T { return q.items[q.head:] }

// popBack takes the youngest out.
func (q *fifo[T]) popBack() {
	q.items = q.items[:len(q.items)-1]
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
}

// remove takes the first v out, and reports whether there was one.
func (q *fifo[T]) remove(v T) bool {
	for i := q.head; i < len(q.items); i++ {
		if q.items[i] == v {
			q.items = append(q.items[:i], q.items[i+1:]...)
			return true
		}
	}
	return false
}
