package drive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"

	"golang.org/x/net/http/httpguts"

	"coldstorm/results"
)

// answer is what came back for a trigger.
type answer struct {
	status int
	head   head        // as it came, or
	header http.Header // as net/http read it
	body   []byte      // where it is needed
	bytes  int64
	last   bool // the endpoint closes the connection after it
	done   results.Stamp
	err    error
}

// answered reports whether a function's answer came.
func (a answer) answered() bool {
	return a.err == nil && a.status >= 200 && a.status < 300 && a.get(functionError) == ""
}

// get is the first value of a header field, "" if there is none.
func (a answer) get(name string) string {
	if a.header != nil {
		return a.header.Get(name)
	}
	return a.head.get(name)
}

func (a answer) fields() http.Header {
	if a.header != nil {
		return a.header
	}
	return a.head.fields()
}

// head is a response's status line and header fields, up to the empty line and
// with it.
type head []byte

// maxHead bounds a head; net/http's transport takes as much.
const maxHead = 10 << 20

var errMalformed = errors.New("malformed HTTP response")

// status reads a status line (RFC 9112, 4). keepAlive says that its protocol keeps
// connections open by default. Not ok is what is written in another way than is usual.
func status(line []byte) (code int, keepAlive, ok bool) {
	const form = "HTTP/1.x nnn"
	if len(line) < len(form) || string(line[:7]) != form[:7] || line[8] != ' ' || len(line) > len(form) && line[len(form)] != ' ' {
		return 0, false, false
	}
	digits := [...]byte{line[7], line[9], line[10], line[11]}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false, false
		}
	}
	code = int(digits[1]-'0')*100 + int(digits[2]-'0')*10 + int(digits[3]-'0')
	return code, digits[0] != '0', code >= 200 // an interim response is not usual
}

// get is the first value of a field, in whichever case it is written.
func (h head) get(name string) string {
	_, rest, _ := bytes.Cut(h, []byte("\r\n"))
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return string(bytes.TrimSpace(line[len(name)+1:]))
		}
	}
	return ""
}

func (h head) fields() http.Header {
	_, rest, _ := bytes.Cut(h, []byte("\r\n"))
	fields, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(rest))).ReadMIMEHeader()
	if err != nil && fields == nil {
		return http.Header{}
	}
	return http.Header(fields)
}

// response is an answer as it comes in, of which a length says where it ends. All
// others are odd, and net/http reads them: chunks, bodies up to the connection's
// end, interim responses, lines without a carriage return or over several, whatever is
// malformed.
type response struct {
	method string
	held   []byte // the head, as far as it has come
	inBody bool
	left   int64 // of the body, still to come
	got    answer
}

// begin is called before each response.
func (r *response) begin(method string) {
	held := r.held[:0]
	if cap(held) > 16<<10 {
		held = nil
	}
	*r = response{method: method, held: held}
}

// what add found.
type found int

const (
	more  found = iota // there is more to come
	whole              // r.got is whole
	odd                // r.held is to be read by net/http, and what follows it
)

// add takes bytes that came. keep says whether a response's body is needed. What
// follows a whole response makes it the connection's last.
func (r *response) add(p []byte, keep func(answer) bool) (found, error) {
	if !r.inBody {
		from := max(0, len(r.held)-2)
		r.held = append(r.held, p...)
		end := bytes.Index(r.held[from:], []byte("\n\r\n"))
		if end < 0 {
			switch {
			case bytes.Contains(r.held[from:], []byte("\n\n")):
				return odd, nil
			case len(r.held) > maxHead:
				return more, fmt.Errorf("%w: head of more than %d bytes", errMalformed, maxHead)
			}
			return more, nil
		}
		end += from + 3
		if !r.frame(r.held[:end]) {
			return odd, nil
		}
		r.inBody = true
		p = r.held[end:]
		if keep(r.got) {
			r.got.body = make([]byte, 0, min(r.left, maxKept))
		}
	}
	n := min(int64(len(p)), r.left)
	if r.got.body != nil {
		r.got.body = append(r.got.body, p[:min(n, int64(maxKept-len(r.got.body)))]...)
	}
	r.left -= n
	r.got.bytes += n
	if r.left > 0 {
		return more, nil
	}
	r.got.last = r.got.last || int64(len(p)) > n
	return whole, nil
}

// frame reads from a head how the response ends (RFC 9112, 6.3); false if it is odd.
func (r *response) frame(h head) bool {
	if bytes.Count(h, []byte("\n")) != bytes.Count(h, []byte("\r\n")) {
		return false
	}
	line, rest, _ := bytes.Cut(h, []byte("\r\n"))
	code, keepAlive, ok := status(line)
	if !ok {
		return false
	}
	length := int64(-1)
	var connection []string
	for len(rest) > len("\r\n") {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch {
		case !ok, line[0] == ' ', line[0] == '\t', is(name, "Transfer-Encoding"), is(name, "Content-Length") && length >= 0:
			return false
		case is(name, "Content-Length"):
			n, err := strconv.ParseUint(string(bytes.Trim(value, " \t")), 10, 63)
			if err != nil {
				return false
			}
			length = int64(n)
		case is(name, "Connection"):
			connection = append(connection, string(value))
		}
	}
	if r.method == http.MethodHead || code == http.StatusNoContent || code == http.StatusNotModified {
		length = 0
	}
	if length < 0 {
		return false
	}
	r.left, r.got.status, r.got.head = length, code, h
	r.got.last = httpguts.HeaderValuesContainsToken(connection, "close") ||
		!keepAlive && !httpguts.HeaderValuesContainsToken(connection, "keep-alive")
	return true
}

func is(name []byte, of string) bool {
	return len(name) == len(of) && bytes.EqualFold(name, []byte(of))
}

// keep says whether a response's body is needed.
func (f *fire) keep(got answer) bool {
	return f.Check != nil || !got.answered()
}

// maxKept bounds a body that is kept: Lambda's largest is 6 MB.
const maxKept = 8 << 20

// receive reads one response by net/http, its body to the end.
func receive(in *bufio.Reader, method string, keep func(answer) bool) answer {
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	for err == nil && res.StatusCode >= 100 && res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
		res, err = http.ReadResponse(in, &http.Request{Method: method})
	}
	if err != nil {
		return answer{err: err}
	}
	return read(res, keep)
}

// read takes a response, its body to the end.
func read(res *http.Response, keep func(answer) bool) answer {
	got := answer{status: res.StatusCode, header: res.Header, last: res.Close || res.StatusCode == http.StatusSwitchingProtocols}
	if keep(got) {
		got.body, got.err = io.ReadAll(io.LimitReader(res.Body, maxKept))
		got.bytes = int64(len(got.body))
	}
	if got.err == nil {
		var n int64
		n, got.err = io.Copy(io.Discard, res.Body)
		got.bytes += n
	}
	return got
}
