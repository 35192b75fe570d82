package record

import (
	"encoding/binary"
	"slices"
	"time"

	"coldstorm/results"
)

// A sample is kept packed: as differences to the sample before it in its chunk, in
// as few bytes as they need (varints), its texts as places in a table. That is 20
// to 30 bytes of a trigger whose start is unknown, and about 70 with evidence,
// where a results.Sample takes 400 and more.

// longest is more than any packed sample takes.
const longest = 1024

// packing is what the next sample is the difference to.
type packing struct {
	seq      uint64
	intended results.Stamp
}

// other marks a word beyond the vocabulary, which then follows as a text.
const other = 7

var starts = []results.Start{results.StartCold, results.StartWarm, results.StartProvisioned, results.StartRestored, results.StartUnknown}

// What of a sample follows its fixed part.
const (
	hasEvidence = 1 << 6
	hasMoments  = 1 << 7

	hasWay = 1 << 15 // in the mask of phases: the way of an event follows evidence
)

// pack appends a sample.
func (p *packing) pack(b []byte, s *results.Sample, texts *texts) []byte {
	head := len(b)
	outcome, start := place(results.Outcomes, s.Outcome), place(starts, s.Start)
	b = append(b, byte(outcome|start<<3))
	if outcome == other {
		b = binary.AppendUvarint(b, texts.place(fieldOutcome, string(s.Outcome)))
	}
	if start == other {
		b = binary.AppendUvarint(b, texts.place(fieldStart, string(s.Start)))
	}
	b = binary.AppendUvarint(b, texts.place(fieldSeries, s.Series))
	b = binary.AppendUvarint(b, texts.place(fieldPayload, s.Payload))
	b = binary.AppendUvarint(b, texts.place(fieldReason, s.Reason))
	b = binary.AppendVarint(b, int64(s.Seq-p.seq))
	b = binary.AppendVarint(b, int64(s.Intended-p.intended))
	b = binary.AppendVarint(b, int64(s.Sent-s.Intended))
	b = binary.AppendVarint(b, int64(s.Done-s.Sent))
	b = binary.AppendVarint(b, int64(s.Status))
	b = binary.AppendVarint(b, s.Bytes)
	p.seq, p.intended = s.Seq, s.Intended
	if told(&s.Evidence) || s.Way != (results.Way{}) {
		b[head] |= hasEvidence
		b = packEvidence(b, s, texts)
	}
	if s.Moments != (results.Moments{}) {
		b[head] |= hasMoments
		b = packMoments(b, s)
	}
	return b
}

// told says whether an endpoint gave evidence, beside the start and its moments.
func told(e *results.Evidence) bool {
	return *e != results.Evidence{Start: e.Start, Moments: e.Moments}
}

func packEvidence(b []byte, s *results.Sample, texts *texts) []byte {
	b = binary.AppendUvarint(b, texts.place(fieldEnvironment, s.Environment))
	b = binary.AppendUvarint(b, texts.place(fieldNode, s.Node))
	b = binary.AppendVarint(b, int64(s.Served))
	b = binary.AppendUvarint(b, texts.place(fieldCause, string(s.Cause)))
	b = binary.AppendUvarint(b, texts.place(fieldMode, s.Mode))
	mask, at := uint64(0), len(b)
	b = append(b, 0, 0)
	for i, p := range results.PhaseNames {
		if d := s.Phases.Get(p); d != 0 {
			mask |= 1 << i
			b = binary.AppendVarint(b, int64(d))
		}
	}
	if s.Way != (results.Way{}) {
		mask |= hasWay
	}
	binary.LittleEndian.PutUint16(b[at:], uint16(mask))
	b = binary.AppendVarint(b, int64(s.Received-s.Sent))
	b = binary.AppendVarint(b, int64(s.Responded-s.Received))
	b = binary.AppendVarint(b, int64(s.Billed))
	b = binary.AppendVarint(b, s.MaxMemory)
	b = binary.AppendVarint(b, int64(s.CPU))
	if mask&hasWay != 0 {
		b = packWay(b, s)
	}
	return b
}

func packWay(b []byte, s *results.Sample) []byte {
	last := s.Sent
	for _, at := range []results.Stamp{s.Way.Publish, s.Way.Poll, s.Way.Invoke, s.Way.Handler} {
		b = binary.AppendVarint(b, int64(at-last))
		last = at
	}
	return binary.AppendVarint(b, int64(s.Way.Attempts))
}

func packMoments(b []byte, s *results.Sample) []byte {
	mask, at, last := uint64(0), len(b), s.Sent
	b = append(b, 0, 0)
	for i, m := range s.Moments {
		if m != 0 {
			mask |= 1 << i
			b = binary.AppendVarint(b, int64(m-last))
			last = m
		}
	}
	binary.LittleEndian.PutUint16(b[at:], uint16(mask))
	return b
}

// The mask of moments has 16 bits; that of phases 15, which a test holds.
var _ [16 - len(results.Moments{})]struct{}

func place[T comparable](set []T, x T) int {
	if i := slices.Index(set, x); i >= 0 {
		return i
	}
	return other
}

// reader unpacks what pack wrote.
type reader struct {
	packing
	b     []byte
	texts []string
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.b = r.b[n:]
	return v
}

func (r *reader) text() string {
	v, n := binary.Uvarint(r.b)
	r.b = r.b[n:]
	return r.texts[v]
}

func (r *reader) mask() uint16 {
	m := binary.LittleEndian.Uint16(r.b)
	r.b = r.b[2:]
	return m
}

// next unpacks one sample. There is one.
func (r *reader) next(s *results.Sample) {
	*s = results.Sample{}
	head := r.b[0]
	r.b = r.b[1:]
	if i := int(head & 7); i != other {
		s.Outcome = results.Outcomes[i]
	} else {
		s.Outcome = results.Outcome(r.text())
	}
	if i := int(head >> 3 & 7); i != other {
		s.Start = starts[i]
	} else {
		s.Start = results.Start(r.text())
	}
	s.Series, s.Payload, s.Reason = r.text(), r.text(), r.text()
	r.seq += uint64(r.varint())
	r.intended += results.Stamp(r.varint())
	s.Seq, s.Intended = r.seq, r.intended
	s.Sent = s.Intended + results.Stamp(r.varint())
	s.Done = s.Sent + results.Stamp(r.varint())
	s.Status, s.Bytes = int(r.varint()), r.varint()
	if head&hasEvidence != 0 {
		r.evidence(s)
	}
	if head&hasMoments != 0 {
		r.moments(s)
	}
}

func (r *reader) evidence(s *results.Sample) {
	s.Environment, s.Node = r.text(), r.text()
	s.Served = int(r.varint())
	s.Cause = results.Cause(r.text())
	s.Mode = r.text()
	mask := r.mask()
	for i, p := range results.PhaseNames {
		if mask&(1<<i) != 0 {
			s.Phases.Set(p, time.Duration(r.varint()))
		}
	}
	s.Received = s.Sent + results.Stamp(r.varint())
	s.Responded = s.Received + results.Stamp(r.varint())
	s.Billed = time.Duration(r.varint())
	s.MaxMemory = r.varint()
	s.CPU = time.Duration(r.varint())
	if mask&hasWay != 0 {
		r.way(s)
	}
}

func (r *reader) way(s *results.Sample) {
	last := s.Sent
	for _, at := range []*results.Stamp{&s.Way.Publish, &s.Way.Poll, &s.Way.Invoke, &s.Way.Handler} {
		last += results.Stamp(r.varint())
		*at = last
	}
	s.Way.Attempts = int(r.varint())
}

func (r *reader) moments(s *results.Sample) {
	mask, last := r.mask(), s.Sent
	for i := range s.Moments {
		if mask&(1<<i) != 0 {
			last += results.Stamp(r.varint())
			s.Moments[i] = last
		}
	}
}
