// Package target reads lists of HTTP requests to fire, in the two formats that
// vegeta's users have: its HTTP format and its JSON format.
//
//	GET http://host/a                {"method": "GET", "url": "http://host/a"}
//	X-Key: 1                         {"method": "POST", "url": "http://host/b", "body": "aGVsbG8="}
//
//	POST http://host/b
//	@body.json
//
// vegeta's own library reads them, so that a list means the same to both. Ours is
// the choice between the formats, by the first letter, and errors that say which
// target they are of.
package target

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"unicode"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Target is one request. Names in Header keep the case that they were given in.
type Target struct {
	Method, URL string
	Header      http.Header
	Body        []byte // nil for none
}

// ErrNone is the error of a list without a target.
var ErrNone = errors.New("no targets")

// Read reads the targets of a list, at least one, each with an http or https
// URL. body is that of targets without one of their own, and header is added to
// each. Paths of bodies (@FILE) start from the working directory.
func Read(r io.Reader, body []byte, header http.Header) ([]Target, error) {
	in := bufio.NewReader(r)
	decode, err := targeter(in, body, header)
	if err != nil {
		return nil, err
	}
	var all []Target
	for {
		var t vegeta.Target
		err := decode(&t)
		if errors.Is(err, vegeta.ErrNoTargets) {
			break
		}
		if err == nil {
			err = checkURL(t.URL)
		}
		if err != nil {
			return nil, fmt.Errorf("target %d: %w", len(all)+1, err)
		}
		all = append(all, Target{Method: t.Method, URL: t.URL, Header: t.Header, Body: t.Body})
	}
	if len(all) == 0 {
		return nil, ErrNone
	}
	return all, nil
}

// targeter is vegeta's reader of the list's format: JSON begins with a brace.
func targeter(in *bufio.Reader, body []byte, header http.Header) (vegeta.Targeter, error) {
	for {
		c, _, err := in.ReadRune()
		switch {
		case errors.Is(err, io.EOF):
			return nil, ErrNone
		case err != nil:
			return nil, err
		case unicode.IsSpace(c):
			continue
		}
		if err := in.UnreadRune(); err != nil {
			return nil, err
		}
		if c == '{' {
			return vegeta.NewJSONTargeter(in, body, header), nil
		}
		return vegeta.NewHTTPTargeter(in, body, header), nil
	}
}

// checkURL refuses what no storm can be fired at.
func checkURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return err
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("URL %q: scheme must be http or https", s)
	case u.Host == "":
		return fmt.Errorf("URL %q has no host", s)
	}
	return nil
}
