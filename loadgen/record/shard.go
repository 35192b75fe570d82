package record

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"coldstorm/results"
)

// Samples are packed into chunks. What is more than a bound of them goes to a file
// that has no name any more, so that it is gone however the process ends; who adds
// samples waits neither for the disk nor for a lock.

const (
	// chunkBytes is what is handed over at once: some 1,000 to 3,000 samples.
	chunkBytes = 64 << 10
	// DefaultMemory bounds the packed samples of a Recorder in memory.
	DefaultMemory = 32 << 20
	// writing is how many chunks may be on their way to the file: 8 MiB. Where the
	// disk takes them slower than they come, more stay in memory, and none is lost.
	writing = 128
)

// chunk is some packed samples, in memory or in the file.
type chunk struct {
	data []byte // nil once it is in the file
	at   int64  // in the file
	size int
}

// shard keeps the samples of one goroutine.
type shard struct {
	texts   texts
	packing packing
	chunks  []*chunk // full ones
	open    []byte
	held    int // bytes of full chunks that are to stay in memory

	file   *os.File
	noFile bool // there can be none
	end    int64
	wg     sync.WaitGroup
	busy   atomic.Int64
	free   chan []byte
}

// add keeps a sample. memory bounds the full chunks in it.
func (h *shard) add(s *results.Sample, memory int, folder string) {
	if h.open == nil {
		h.open = h.buffer()
	}
	h.open = h.packing.pack(h.open, s, &h.texts)
	if len(h.open) > chunkBytes-longest {
		h.seal(memory, folder)
	}
}

func (h *shard) buffer() []byte {
	select {
	case b := <-h.free:
		return b[:0]
	default:
		return make([]byte, 0, chunkBytes)
	}
}

// seal ends the open chunk, and has it written if memory is full.
func (h *shard) seal(memory int, folder string) {
	c := &chunk{data: h.open, size: len(h.open)}
	h.chunks, h.open, h.packing = append(h.chunks, c), nil, packing{}
	if h.held += c.size; h.held <= memory || h.busy.Load() >= writing || !h.spills(folder) {
		return
	}
	h.held -= c.size
	c.at, h.end = h.end, h.end+int64(c.size)
	h.busy.Add(1)
	h.wg.Go(func() {
		defer h.busy.Add(-1)
		data := c.data
		if _, err := h.file.WriteAt(data, c.at); err != nil {
			return // it stays in memory
		}
		c.data = nil
		select {
		case h.free <- data:
		default:
		}
	})
}

// spills makes the file, and says whether there is one.
func (h *shard) spills(folder string) bool {
	if h.file != nil || h.noFile {
		return h.file != nil
	}
	f, err := os.CreateTemp(folder, ".samples-*")
	if err != nil {
		h.noFile = true
		return false
	}
	os.Remove(f.Name())
	h.file, h.free = f, make(chan []byte, writing)
	return true
}

// samples yields all, in the order in which they were added, and says whether to
// go on.
func (h *shard) samples(yield func(results.Sample) bool) (more bool, err error) {
	h.wg.Wait()
	var s results.Sample
	var buf []byte
	for i := 0; i <= len(h.chunks); i++ {
		r := reader{b: h.open, texts: h.texts.all}
		if i < len(h.chunks) {
			c := h.chunks[i]
			if r.b = c.data; r.b == nil {
				if cap(buf) < c.size {
					buf = make([]byte, chunkBytes)
				}
				if _, err := h.file.ReadAt(buf[:c.size], c.at); err != nil {
					return false, fmt.Errorf("read samples back: %w", err)
				}
				r.b = buf[:c.size]
			}
		}
		for len(r.b) > 0 {
			if r.next(&s); !yield(s) {
				return false, nil
			}
		}
	}
	return true, nil
}

// bytes is how much memory the samples take, and how much of the file.
func (h *shard) bytes() (memory, file int64) {
	h.wg.Wait()
	for _, c := range h.chunks {
		if c.data != nil {
			memory += int64(cap(c.data))
		} else {
			file += int64(c.size)
		}
	}
	return memory + int64(cap(h.open)) + int64(len(h.free))*chunkBytes, file
}
