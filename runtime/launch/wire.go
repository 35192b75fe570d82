package launch

import (
	"encoding/binary"
	"errors"
	"math"
)

// The launcher and its client speak in packets (SOCK_SEQPACKET): a message is
// a list of fields, integers as varints and strings with their length before
// them. Both ends are of one binary, so there is no version.

// maxPacket bounds a message; what doesn't fit is refused before it is sent.
const maxPacket = 128 << 10

// The kinds of message.
const (
	msgHello     = 'H' // daemon: host
	msgLaunch    = 'L' // client: seq, spec
	msgBorn      = 'B' // daemon: seq, mode, whether the freezer is of version 2, pid (see sendPID); descriptors
	msgRuns      = 'N' // daemon: seq, error; if that is empty, stamps and what the host forbade
	msgReply     = 'R' // daemon: seq, error, fields of the request's answer; descriptors
	msgStop      = 'S' // client: seq, box
	msgFreeze    = 'F' // client: seq, box, 1 or 0
	msgCPU       = 'C' // client: seq, box, CPUs
	msgUsage     = 'U' // client: seq, box
	msgSocket    = 'D' // client: seq, box; the reply has a socket
	msgPark      = 'P' // client: seq, 0, number, spec; the reply comes when as many are parked
	msgFill      = 'W' // client: seq, 0, spec; the reply comes when the pool is full for that
	msgSettle    = 'E' // client: seq, 0; the reply comes when what ended is removed
	msgFootprint = 'O' // client: seq, 0
	msgNode      = 'M' // client: seq, 0, name, CPUs, memory; the reply says whether it is limited
	msgNodeEnd   = 'Z' // client: seq, 0, name
	msgExit      = 'X' // daemon: box, exit
	msgGoodbye   = 'Q' // client: seq; the reply comes when nothing is left
)

var errMessage = errors.New("malformed message")

type encoder struct{ b []byte }

func (e *encoder) int(n int64)     { e.b = binary.AppendVarint(e.b, n) }
func (e *encoder) float(f float64) { e.b = binary.LittleEndian.AppendUint64(e.b, math.Float64bits(f)) }

func (e *encoder) bool(v bool) {
	n := byte(0)
	if v {
		n = 1
	}
	e.b = append(e.b, n)
}

func (e *encoder) string(s string) {
	e.int(int64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) strings(list []string) {
	e.int(int64(len(list)))
	for _, s := range list {
		e.string(s)
	}
}

// A decoder yields zero values from the first malformed field on; err tells.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() { d.b, d.err = nil, errMessage }

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) float() float64 {
	if len(d.b) < 8 {
		d.fail()
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.b))
	d.b = d.b[8:]
	return v
}

func (d *decoder) bool() bool {
	if len(d.b) < 1 {
		d.fail()
		return false
	}
	v := d.b[0] != 0
	d.b = d.b[1:]
	return v
}

func (d *decoder) string() string {
	n := d.int()
	if n < 0 || n > int64(len(d.b)) {
		d.fail()
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) strings() []string {
	n := d.int()
	if n < 0 || n > int64(len(d.b)) { // each takes a byte at least
		d.fail()
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, d.string())
	}
	return list
}
