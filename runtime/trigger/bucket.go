package trigger

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
	"coldstorm/runtime/api"
	"coldstorm/runtime/live"
)

// bucketForm is what a bucket may be called (Amazon S3 user guide: "Bucket naming
// rules", less dots).
var bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// MaxContent bounds an object that its event carries, in bytes: in base64 it, and
// what is around it, is less than the 6 MB of an event.
const MaxContent = 4 << 20

// maxObject bounds an object that is put by HTTP, in bytes.
const maxObject = 5 << 30

// Bucket is a folder, and the function that is told of each object created in
// it: each file that was written and closed, or moved there, at any depth. Names
// that begin with a dot are no objects, nor are those that were there before.
type Bucket struct {
	Name     string `json:"name"`
	Folder   string `json:"folder"`
	Function string `json:"function"`
	Prefix   string `json:"prefix,omitempty"` // of keys that the function is told of
	Suffix   string `json:"suffix,omitempty"` // likewise
	// Output is a folder for what the function answers, under the object's key.
	// Empty: the answer is dropped, as Lambda does.
	Output string `json:"output,omitempty"`
	// Field is the key of the answer that holds what is written, in base64. Empty:
	// the answer as it is.
	Field string `json:"field,omitempty"`
}

// What paths of the endpoint begin with: its own, function URLs and Lambda's API.
var (
	taken     = map[string]bool{"coldstorm": true, "lambda-url": true}
	datedPath = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
)

func (b Bucket) check() error {
	if !bucketForm.MatchString(b.Name) {
		return fmt.Errorf("name %q is not of 3 to 63 lower-case letters, digits and hyphens", b.Name)
	}
	if taken[b.Name] || datedPath.MatchString(b.Name) || b.Name == live.Account {
		return fmt.Errorf("name %q is one of the endpoint's own paths", b.Name)
	}
	folder, err := filepath.EvalSymlinks(b.Folder)
	if err != nil {
		return err
	}
	if b.Output == "" {
		return nil
	}
	output, err := filepath.EvalSymlinks(b.Output)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(folder, output); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
		return fmt.Errorf("output %s lies in the folder: each answer would be an object again", b.Output)
	}
	return nil
}

// bucket is a Bucket that is watched.
type bucket struct {
	Bucket
	sources *Sources
	watch   *watch

	mu        sync.Mutex
	sequencer uint64
	puts      map[string]results.Stamp // when objects that came by HTTP were complete, until they are told of
}

func (s *Sources) addBucket(x Bucket) error {
	if err := x.check(); err != nil {
		return fmt.Errorf("bucket %s: %w", x.Folder, err)
	}
	if err := s.there(x.Function); err != nil {
		return fmt.Errorf("bucket %s: %w", x.Folder, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.named(x.Name) {
		return fmt.Errorf("bucket %s: %w", x.Name, ErrTaken)
	}
	b := &bucket{Bucket: x, sources: s, puts: map[string]results.Stamp{}}
	w, err := newWatch(x.Folder)
	if err != nil {
		return fmt.Errorf("bucket %s: %w", x.Folder, err)
	}
	b.watch = w
	s.buckets[x.Name] = b
	s.begin(func() {
		if err := w.run(b.created); s.ctx.Err() == nil {
			s.config.Say("bucket %s is not watched any more: %v", x.Name, err)
		}
	})
	return nil
}

// created takes an object in whose file is complete.
func (b *bucket) created(key string) {
	put, byHTTP := b.taken(key)
	if !strings.HasPrefix(key, b.Prefix) || !strings.HasSuffix(key, b.Suffix) {
		return
	}
	o, err := b.read(key)
	if errors.Is(err, fs.ErrNotExist) {
		return // it went as fast as it came
	}
	if err != nil {
		b.sources.config.Say("bucket %s: object %s: %v", b.Name, key, err)
		return
	}
	if byHTTP {
		o.publish = put
	}
	b.publish(o)
}

// accept notes that an object is complete, which a file's own time tells to a tick of the
// kernel's alone.
func (b *bucket) accept(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.puts[key] = results.Now()
}

// taken returns what accept noted, once.
func (b *bucket) taken(key string) (at results.Stamp, noted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, noted = b.puts[key]
	delete(b.puts, key)
	return at, noted
}

// object is a file at one moment.
type object struct {
	key     string
	size    int64
	etag    string
	content []byte // if it isn't too large
	publish results.Stamp
}

// read reads an object. Its event counts as published when its file last changed, unless
// it is known better.
func (b *bucket) read(key string) (o object, err error) {
	f, err := openIn(b.Folder, key)
	if err != nil {
		return o, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return o, err
	}
	changed := time.Unix(st.Ctim.Sec, st.Ctim.Nsec)
	o = object{key: key, size: st.Size, publish: results.Now()}
	if ago := time.Since(changed); ago > 0 && ago < time.Minute {
		o.publish = o.publish.Add(-ago)
	}
	hash := md5.New()
	var to io.Writer = hash
	var kept bytes.Buffer
	if st.Size <= MaxContent {
		to = io.MultiWriter(hash, &kept)
	}
	if o.size, err = io.Copy(to, f); err != nil {
		return o, err
	}
	o.etag = hex.EncodeToString(hash.Sum(nil))
	if o.size <= MaxContent {
		o.content = kept.Bytes()
	}
	return o, nil
}

// publish tells the function of an object.
func (b *bucket) publish(o object) {
	b.mu.Lock()
	b.sequencer++
	n := b.sequencer
	b.mu.Unlock()
	id := api.NewID()
	event := b.event(o, id, n)
	polled := results.Now()
	c := Completion{Trigger: trigger(b.Name, o), Source: "bucket " + b.Name, Function: b.Function, Publish: o.publish, Poll: polled}
	err := b.sources.functions.Enqueue(b.Function, live.Request{ID: id, Payload: event, ContentType: "application/json"},
		func(r live.Result, _ results.Stamp, attempts int) {
			c.Attempts = attempts
			c.complete(r)
			if c.Outcome == results.OutcomeServed && b.Output != "" {
				if err := b.write(o.key, r.Payload); err != nil {
					b.sources.config.Say("bucket %s: answer for %s: %v", b.Name, o.key, err)
				}
			}
			b.sources.ledger.add(c)
		})
	if err != nil {
		b.sources.config.Say("bucket %s: object %s: %v", b.Name, o.key, err)
		b.sources.ledger.add(c.lost(err))
	}
}

// trigger is the id of an object's event: who puts an object knows both of its
// parts.
func trigger(bucket string, o object) string { return bucket + "/" + o.key + "#" + o.etag }

// write writes an answer into the output folder, as a whole or not at all.
func (b *bucket) write(key string, answer []byte) error {
	if b.Field != "" {
		var x map[string]json.RawMessage
		if err := json.Unmarshal(answer, &x); err != nil {
			return err
		}
		var text string
		if err := json.Unmarshal(x[b.Field], &text); err != nil {
			return fmt.Errorf("the answer's %s is no text: %w", b.Field, err)
		}
		var err error
		if answer, err = base64.StdEncoding.DecodeString(text); err != nil {
			return fmt.Errorf("the answer's %s: %w", b.Field, err)
		}
	}
	return put(b.Output, key, bytes.NewReader(answer), func() {})
}

// put writes a file of a folder by another name first, so that nobody sees a part
// of it. complete is called before it has its own.
func put(folder, key string, r io.Reader, complete func()) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	dir := filepath.Dir(key)
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	part := filepath.Join(dir, ".coldstorm-"+api.NewID())
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		complete()
		err = root.Rename(part, key)
	}
	if err != nil {
		root.Remove(part)
	}
	return err
}

// openIn opens a plain file of a folder, and nothing that a link leads to outside.
func openIn(folder, key string) (*os.File, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(key, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: key, Err: errors.New("not a file")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// objectKey checks a key: a path below a bucket, no part of which is hidden.
func objectKey(key string) error {
	if !filepath.IsLocal(key) || len(key) > 1024 || filepath.Clean(key) != key {
		return fmt.Errorf("key %q is no path of a file", key)
	}
	for part := range strings.SplitSeq(key, "/") {
		if strings.HasPrefix(part, ".") {
			return fmt.Errorf("key %q: what begins with a dot is no object", key)
		}
	}
	return nil
}

func (b *bucket) remove(key string) error {
	root, err := os.OpenRoot(b.Folder)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.Remove(key)
}
