package api

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
)

// lean is a runtime that costs as little as it can, for the benchmark: prepared
// bytes out, heads skipped.
func lean(addr string) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	r := bufio.NewReader(nc)
	ask := []byte("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n")
	var out []byte
	for {
		if _, err := nc.Write(ask); err != nil {
			return err
		}
		id, err := skim(r)
		if err != nil {
			return err
		}
		out = fmt.Appendf(out[:0], "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", id)
		if _, err := nc.Write(out); err != nil {
			return err
		}
		if _, err := skim(r); err != nil {
			return err
		}
	}
}

// skim reads one response and returns its request id.
func skim(r *bufio.Reader) (id string, err error) {
	var length int
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			_, err := r.Discard(length)
			return id, err
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			fmt.Sscan(string(v), &length)
		} else if v, ok := bytes.CutPrefix(line, []byte("Lambda-Runtime-Aws-Request-Id: ")); ok {
			id = string(v)
		}
	}
}
