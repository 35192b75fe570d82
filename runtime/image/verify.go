package image

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A verified reader hashes what passes through it, no more than the size that
// was announced, and stops when the context ends. Its answer comes at the end.
type verified struct {
	ctx  context.Context
	in   io.Reader
	want v1.Hash // the zero value: nothing is known, nothing is checked
	size int64   // negative: not known
	hash hash.Hash
	n    int64
}

func verify(ctx context.Context, in io.Reader, want v1.Hash, size int64) (*verified, error) {
	v := &verified{ctx: ctx, in: in, want: want, size: size}
	if want == (v1.Hash{}) {
		return v, nil
	}
	var err error
	if v.hash, err = v1.Hasher(want.Algorithm); err != nil {
		return nil, fmt.Errorf("digest %v: %w", want, err)
	}
	return v, nil
}

func (v *verified) Read(p []byte) (int, error) {
	if v.ctx.Err() != nil {
		return 0, context.Cause(v.ctx)
	}
	if v.size >= 0 {
		if v.n >= v.size {
			return 0, io.EOF
		}
		p = p[:min(int64(len(p)), v.size-v.n)]
	}
	n, err := v.in.Read(p)
	v.n += int64(n)
	if v.hash != nil {
		v.hash.Write(p[:n])
	}
	return n, err
}

// end reads what is left and says whether all of it was what was announced. err
// is what went wrong before: if the contents are not the announced ones, that is
// why, and ErrDigest takes its place.
func (v *verified) end(err error) error {
	if refused(err) || v.ctx.Err() != nil {
		return err
	}
	_, rest := io.Copy(io.Discard, v)
	if v.hash == nil {
		return errors.Join(err, rest)
	}
	got := v1.Hash{Algorithm: v.want.Algorithm, Hex: hex.EncodeToString(v.hash.Sum(nil))}
	switch {
	case v.size >= 0 && v.n < v.size && rest != nil:
		return errors.Join(err, rest)
	case v.size >= 0 && v.n < v.size:
		return fmt.Errorf("%v ends after %d of %d bytes: %w", v.want, v.n, v.size, ErrDigest)
	case got != v.want && (rest == nil || v.n == v.size):
		return fmt.Errorf("%v has the contents of %v: %w", v.want, got, ErrDigest)
	}
	return errors.Join(err, rest)
}

// refused reports whether an error is a refusal of ours, after which there is no
// reason to read on.
func refused(err error) bool {
	return errors.Is(err, ErrUnsafe) || errors.Is(err, ErrTooLarge)
}

// A bounded reader ends with ErrTooLarge where more than room comes.
type bounded struct {
	in   io.Reader
	room int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.in.Read(p[:min(int64(len(p)), b.room+1)])
	if b.room -= int64(n); b.room < 0 {
		return 0, imageTooLarge()
	}
	return n, err
}

func imageTooLarge() error {
	return &Hint{ErrTooLarge, fmt.Sprintf("Lambda takes images of at most %d GB unpacked", MaxImageBytes>>30)}
}
