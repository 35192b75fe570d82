package record

import (
	"iter"
	"maps"

	"coldstorm/results"
)

// Recorder keeps the samples of one series. The zero value is empty and ready.
// One goroutine at a time may use it; several that record at once have one each,
// which are merged at the end.
type Recorder struct {
	Name     string // of the series
	Shape    string // of its storm, in words
	Seed     int64
	Arrivals string // sha256 of the schedule

	Memory int    // bytes of packed samples that stay in memory; 0 for DefaultMemory
	Folder string // where the others are kept, in a file without a name; empty: the system's temporary folder

	own    shard
	others []*shard // merged ones
	counts results.Counts
	census []Census
	use    []Use
	err    error
}

// Add keeps a sample.
func (r *Recorder) Add(s results.Sample) {
	if s.Start == "" {
		s.Start = results.StartUnknown
	}
	memory := r.Memory
	if memory == 0 {
		memory = DefaultMemory
	}
	r.own.add(&s, memory, r.Folder)
	count(&r.counts, &s)
}

// Merge takes over the samples, counts, censuses and use of recorders that recorded
// a part of the series each, after its own. They must not be used again.
func (r *Recorder) Merge(parts ...*Recorder) {
	for _, p := range parts {
		r.others = append(append(r.others, &p.own), p.others...)
		add(&r.counts, p.counts)
		r.census = append(r.census, p.census...)
		r.use = append(r.use, p.use...)
	}
}

// Samples yields the samples in the order in which they were added. Each call reads
// them anew; what could not be read is in Err.
func (r *Recorder) Samples() iter.Seq[results.Sample] {
	return func(yield func(results.Sample) bool) {
		more, err := r.own.samples(yield)
		for i := 0; more && err == nil && i < len(r.others); i++ {
			more, err = r.others[i].samples(yield)
		}
		if err != nil {
			r.err = err
		}
	}
}

// Err is the error of a disk from which samples could not be read back; nil of none.
func (r *Recorder) Err() error { return r.err }

// Bytes returns how much memory the samples take, and how much disk.
func (r *Recorder) Bytes() (memory, disk int64) {
	memory, disk = r.own.bytes()
	for _, o := range r.others {
		m, d := o.bytes()
		memory, disk = memory+m, disk+d
	}
	return memory, disk
}

// Len returns how many samples there are.
func (r *Recorder) Len() int { return r.counts.Offered }

// Counts returns what became of the triggers so far. Its maps are copies.
func (r *Recorder) Counts() results.Counts {
	c := r.counts
	c.Causes, c.Reasons = maps.Clone(c.Causes), maps.Clone(c.Reasons)
	return c
}
