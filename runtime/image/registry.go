package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// How long a registry may keep us waiting: for a connection, for the beginning
// of an answer, for the image's manifest in all, and for the next byte of a layer.
const (
	dialTimeout   = 5 * time.Second
	answerTimeout = 15 * time.Second
	findTimeout   = 40 * time.Second
	stallTimeout  = 30 * time.Second
)

// A registry is the repository of an image reference. Credentials are those that
// docker login keeps; plain HTTP is spoken to localhost and private addresses.
type registry struct {
	ref     name.Reference
	options []remote.Option
	stall   time.Duration // stallTimeout
}

var _ blobs = registry{}

// parseReference tells an image reference from a path: without a registry, a
// tag or a digest it is none.
func parseReference(s string) (name.Reference, bool) {
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, ".") {
		return nil, false
	}
	ref, err := name.ParseReference(s)
	if err != nil {
		return nil, false
	}
	return ref, explicit(s) || strings.ContainsAny(s, ":@")
}

// explicit says whether a reference begins with a registry.
func explicit(s string) bool {
	host, _, found := strings.Cut(s, "/")
	return found && (strings.ContainsAny(host, ".:") || host == "localhost")
}

func newRegistry(ref name.Reference) registry {
	t := remote.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	t.ResponseHeaderTimeout = answerTimeout
	return registry{ref, []remote.Option{
		remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(t), remote.WithUserAgent("coldstorm"),
		remote.WithRetryBackoff(remote.Backoff{Duration: 500 * time.Millisecond, Factor: 3, Steps: 2}),
	}, stallTimeout}
}

func (r registry) with(ctx context.Context) []remote.Option {
	return append(r.options[:len(r.options):len(r.options)], remote.WithContext(ctx))
}

// find asks what the reference stands for.
func (r registry) find(ctx context.Context) (v1.Descriptor, error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	d, err := remote.Get(r.ref, r.with(ctx)...)
	if err != nil {
		return v1.Descriptor{}, r.explain(err)
	}
	return d.Descriptor, nil
}

// open fetches a blob or manifest by its digest.
func (r registry) open(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	ref := r.ref.Context().Digest(d.Digest.String())
	if d.MediaType.IsImage() || d.MediaType.IsIndex() {
		ctx, cancel := context.WithTimeout(ctx, findTimeout)
		defer cancel()
		m, err := remote.Get(ref, r.with(ctx)...)
		if err != nil {
			return nil, r.explain(err)
		}
		return io.NopCloser(strings.NewReader(string(m.Manifest))), nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watched{stop: cancel, patience: r.stall}
	w.timer = time.AfterFunc(r.stall, func() {
		cancel(&Hint{fmt.Errorf("%w: %s sent nothing for %v", ErrRegistry, r.ref.Context().RegistryStr(), r.stall), "try again: layers that are there are not fetched again"})
	})
	l, err := remote.Layer(ref, r.with(ctx)...)
	if err == nil {
		w.in, err = l.Compressed()
	}
	if err != nil {
		w.timer.Stop()
		cancel(nil)
		return nil, r.explain(cause(ctx, err))
	}
	w.ctx = ctx
	return w, nil
}

// cause is why a context ended, if that is why there is an error.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil && errors.Is(err, ctx.Err()) {
		return c
	}
	return err
}

// explain says what a person can do about a registry's refusal.
func (r registry) explain(err error) error {
	host := r.ref.Context().RegistryStr()
	local := fmt.Sprintf("if Docker has it here: docker save %s -o image.tar, and give that file", r.ref)
	var h *Hint
	var t *transport.Error
	var timeout net.Error
	switch {
	case errors.As(err, &h), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &t) && (t.StatusCode == http.StatusUnauthorized || t.StatusCode == http.StatusForbidden):
		return &Hint{fmt.Errorf("%w: %s refused access to %s", ErrRegistry, host, r.ref), "docker login " + host + ", if the image is there; " + local}
	case errors.As(err, &t) && t.StatusCode == http.StatusNotFound:
		return &Hint{fmt.Errorf("%w: %s has no %s", ErrRegistry, host, r.ref), local}
	case errors.As(err, &t):
		return fmt.Errorf("%w: %s answered %d: %w", ErrRegistry, host, t.StatusCode, err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		err = errors.New("no answer in time")
	}
	return &Hint{fmt.Errorf("%w: %s can't be reached: %w", ErrRegistry, host, err), local}
}

// watched is a body that may not pause for longer than its patience.
type watched struct {
	ctx   context.Context
	in    io.ReadCloser
	timer *time.Timer
	stop  context.CancelCauseFunc

	patience time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.patience)
	n, err := w.in.Read(p)
	w.timer.Stop()                   // what we do between two reads is not its fault
	if err != nil && err != io.EOF { //nolint:errorlint // a reader's end
		err = cause(w.ctx, err)
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	err := w.in.Close()
	w.stop(nil)
	return err
}
