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
	"strings"

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

// status is the code of the status line (RFC 9112, 4), and whether the protocol
// keeps connections open by default.
func (h head) status() (code int, keepAlive bool, err error) {
	line, _, _ := bytes.Cut(h, []byte("\r\n"))
	proto, rest, ok := strings.Cut(string(line), " ")
	if !ok || len(rest) < 3 || (len(rest) > 3 && rest[3] != ' ') {
		return 0, false, fmt.Errorf("%w: %.64q", errMalformed, line)
	}
	major, minor, ok := http.ParseHTTPVersion(proto)
	code, err = strconv.Atoi(rest[:3])
	if err != nil || !ok || major != 1 || code < 100 {
		return 0, false, fmt.Errorf("%w: %.64q", errMalformed, line)
	}
	return code, minor >= 1, nil
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

// count is how many fields of a name there are.
func (h head) count(name string) (n int) {
	_, rest, _ := bytes.Cut(h, []byte("\r\n"))
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			n++
		}
	}
	return n
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
// end, interim responses, lines without a carriage return.
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
		from := max(0, len(r.held)-3)
		r.held = append(r.held, p...)
		end := bytes.Index(r.held[from:], []byte("\r\n\r\n"))
		if end < 0 {
			switch {
			case bytes.Contains(r.held[from:], []byte("\n\n")):
				return odd, nil
			case len(r.held) > maxHead:
				return more, fmt.Errorf("%w: head of more than %d bytes", errMalformed, maxHead)
			}
			return more, nil
		}
		end += from + 4
		if what, err := r.frame(r.held[:end]); what == odd || err != nil {
			return what, err
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

// frame reads from a head how the response ends (RFC 9112, 6.3).
func (r *response) frame(h head) (found, error) {
	if bytes.Count(h, []byte("\n")) != bytes.Count(h, []byte("\r\n")) {
		return odd, nil
	}
	code, keepAlive, err := h.status()
	if err != nil {
		return more, err
	}
	if code < 200 || h.count("Transfer-Encoding") > 0 {
		return odd, nil
	}
	if r.method != http.MethodHead && code != http.StatusNoContent && code != http.StatusNotModified {
		if h.count("Content-Length") != 1 {
			return odd, nil
		}
		length := h.get("Content-Length")
		if r.left, err = strconv.ParseInt(length, 10, 64); err != nil || r.left < 0 {
			return more, fmt.Errorf("%w: Content-Length: %.64q", errMalformed, length)
		}
	}
	connection := []string{h.get("Connection")}
	r.got.status, r.got.head = code, h
	r.got.last = httpguts.HeaderValuesContainsToken(connection, "close") ||
		!keepAlive && !httpguts.HeaderValuesContainsToken(connection, "keep-alive")
	return more, nil
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
	got := answer{status: res.StatusCode, header: res.Header, last: res.Close}
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
