// Package first has a function in Go tell the Runtime API when the first instruction of
// its own was, so that coldstorm can say how much of its init is its program's start and
// how much its own. It is imported for that alone:
//
//	import _ "coldstorm/workloads/first"
//
// What it tells stands in a header of the first request on the first connection to the
// Runtime API, of which Lambda's takes no notice. The runtime library makes its
// transport of net/http's default one and lets nobody add a header: hence the connection
// that adds it. Turned down: a request of its own, which would be a part of the init
// that it is to measure.
package first

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"

	"coldstorm/workloads/first/moment"
)

// header is runtime/api's FirstInstructionHeader.
const header = "Coldstorm-First-Instruction"

func init() {
	if t, ok := http.DefaultTransport.(*http.Transport); ok && t.DialContext != nil {
		t.DialContext = telling(t.DialContext, os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	}
}

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// telling is a dial whose first connection to api tells.
func telling(d dial, api string) dial {
	var once sync.Once
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d(ctx, network, address)
		if err == nil && address == api {
			once.Do(func() { c = &conn{Conn: c} })
		}
		return c, err
	}
}

// conn adds the header to the first request that is written to it.
type conn struct {
	net.Conn
	told bool
}

func (c *conn) Write(b []byte) (int, error) {
	if c.told {
		return c.Conn.Write(b)
	}
	c.told = true
	line, rest, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || !bytes.HasSuffix(line, []byte(" HTTP/1.1")) {
		return c.Conn.Write(b)
	}
	told := fmt.Appendf(nil, "%s\r\n%s: %d\r\n%s", line, header, moment.At, rest)
	n, err := c.Conn.Write(told)
	return max(0, n-(len(told)-len(b))), err
}
