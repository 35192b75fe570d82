package drive

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
)

// Target is one request, where triggers go to several.
type Target struct {
	Method, URL string
	Header      http.Header // Host too is taken from it
	Body        []byte
}

// checkTargets refuses what triggers can't go to. The first stands for the attack's
// own URL and method.
func (a *Attack) checkTargets() error {
	if len(a.Targets) == 0 {
		return nil
	}
	if a.Route != nil || len(a.Payloads) > 0 {
		return fmt.Errorf("targets have their own URLs and bodies: neither routes nor payloads go with them")
	}
	for i, t := range a.Targets {
		u, err := url.Parse(t.URL)
		switch {
		case err != nil:
			return fmt.Errorf("target %d: %w", i+1, err)
		case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
			return fmt.Errorf("target %d: URL %q: scheme must be http or https, and there must be a host", i+1, t.URL)
		}
	}
	a.URL, a.Method = a.Targets[0].URL, a.Targets[0].Method
	return nil
}

// targeted are the requests of targets, which triggers take in turn.
func (a Attack) targeted() (*requests, error) {
	r := &requests{names: []string{""}, upTo: []int{1}, route: func(seq int) int { return seq % len(a.Targets) }}
	for i, t := range a.Targets {
		one := a
		one.Method, one.Header = t.Method, t.Header
		wire, err := one.wire(t.URL, Payload{Body: t.Body})
		if err != nil {
			return nil, fmt.Errorf("target %d: %w", i+1, err)
		}
		r.wire, r.methods = append(r.wire, [][]byte{wire}), append(r.methods, t.Method)
	}
	return r, nil
}

// methodOf is the method of a trigger.
func (r *requests) methodOf(seq uint64) string {
	if len(r.methods) == 1 {
		return r.methods[0]
	}
	return r.methods[r.route(int(seq))]
}

// hosts are the connections of an attack: a pool for each host that its targets
// name, and for all of them where a unix socket stands for the host.
type hosts struct {
	pools []*pool
	of    []int // a target's; empty: all are of the first
}

func (f *fire) hostsOf(u *url.URL) *hosts {
	if len(f.Targets) == 0 {
		return &hosts{pools: []*pool{f.pool(u)}}
	}
	h := &hosts{}
	at := map[string]int{}
	for _, t := range f.Targets {
		u, _ := url.Parse(t.URL) // was checked
		name := u.Scheme + "://" + u.Host
		if _, known := at[name]; !known {
			at[name] = len(h.pools)
			h.pools = append(h.pools, f.pool(u))
		}
		h.of = append(h.of, at[name])
	}
	return h
}

func (f *fire) pool(u *url.URL) *pool {
	p := &pool{
		dialer: f.dialer(u), limit: f.Connections, busy: map[conn]struct{}{},
		ctx: f.ctx, give: f.given, short: f.armed, receiver: f.receiver,
		toCome: func() int { return f.Schedule.Len() - int(f.launched.Load()) },
	}
	if f.HTTP2 {
		p.streams = &streams{dialer: p.dialer, limit: f.Connections}
	}
	return p
}

// to is the pool for a trigger.
func (h *hosts) to(seq uint64) *pool {
	if len(h.of) == 0 {
		return h.pools[0]
	}
	return h.pools[h.of[seq%uint64(len(h.of))]]
}

// fill dials for n triggers that are due at once, and has reserve for more kept ready.
func (h *hosts) fill(ctx context.Context, n, reserve int) {
	for i, p := range h.pools {
		share := h.share(i)
		n := int(math.Ceil(share * float64(n)))
		switch {
		case n == 0:
		case p.streams != nil:
			p.streams.fill(ctx, n)
		default:
			p.reserve = int(share * float64(reserve))
			p.fill(ctx, min(n, p.limit))
		}
	}
}

// share is how many of all triggers go to a host.
func (h *hosts) share(pool int) float64 {
	if len(h.of) == 0 {
		return 1
	}
	mine := 0
	for _, of := range h.of {
		if of == pool {
			mine++
		}
	}
	return float64(mine) / float64(len(h.of))
}

func (h *hosts) close() {
	for _, p := range h.pools {
		p.close()
		if p.streams != nil {
			p.streams.close()
		}
	}
}

func (h *hosts) stop() {
	for _, p := range h.pools {
		p.stop()
	}
}

// sums are what reports tell of all pools.
func (h *hosts) sums() (waits, dialled int, secure bool) {
	for _, p := range h.pools {
		waits, dialled, secure = waits+p.waits, dialled+p.dialled, secure || p.dialer.tls != nil
		if p.streams != nil {
			dialled += p.streams.dialled
		}
	}
	return waits, dialled, secure
}
