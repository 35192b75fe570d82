package trigger

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
	"coldstorm/runtime/live"
)

// Handler serves the sources' endpoints, and leaves all else to next.
func (s *Sources) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := s.route(r)
		switch {
		case h == nil:
			next.ServeHTTP(w, r)
		case r.Header.Get("Origin") != "":
			// A page in a browser must not publish on its visitor's machine.
			http.Error(w, "event sources are not for pages in a browser", http.StatusForbidden)
		default:
			h(w, r)
		}
	})
}

const ownPaths = "/coldstorm/"

// route finds what answers a request; nil if that is none of the sources'.
func (s *Sources) route(r *http.Request) http.HandlerFunc {
	if strings.Contains(r.Host, ".lambda-url.") {
		return nil // a function's own host, all of whose paths are the function's
	}
	path := r.URL.Path
	if name, own := strings.CutPrefix(path, ownPaths); own {
		source, publish := strings.CutPrefix(name, "publish/")
		switch {
		case publish && r.Method == http.MethodPost:
			return func(w http.ResponseWriter, r *http.Request) { s.publish(w, r, source) }
		case name == "completions" && r.Method == http.MethodGet:
			return s.completions
		case name == "latency" && r.Method == http.MethodGet:
			return func(w http.ResponseWriter, _ *http.Request) { s.Latency(w) }
		}
		return http.NotFound
	}
	first, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if r.Method == http.MethodPost && (path == "/" || first == live.Account) {
		return s.serveSQS
	}
	if !bucketForm.MatchString(first) {
		return nil
	}
	s.mu.Lock()
	b := s.buckets[first]
	s.mu.Unlock()
	if b == nil {
		return nil
	}
	return func(w http.ResponseWriter, r *http.Request) { b.serve(w, r, key) }
}

// publish answers POST /coldstorm/publish/{source}. A message of a FIFO queue is of the
// group that the query names, or of one for all.
func (s *Sources) publish(w http.ResponseWriter, r *http.Request, name string) {
	s.mu.Lock()
	q, b, rule := s.queues[name], s.buckets[name], s.schedules[name]
	s.mu.Unlock()
	var id string
	switch {
	case q != nil:
		body, err := readAll(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		c := &sqsCall{ctx: r.Context(), sources: s}
		e := sqsEntry{MessageBody: string(body)}
		if q.fifo() { // each is an event of its own
			e.MessageGroupId, e.MessageDeduplicationId = cmp.Or(r.URL.Query().Get("group"), "coldstorm"), api.NewID()
		}
		m, err := c.send(q, e)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		id = m.id
	case b != nil:
		var err error
		if _, id, err = b.put(b.Prefix+api.NewID()+b.Suffix, http.MaxBytesReader(w, r.Body, maxObject)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	case rule != nil:
		id = rule.publish(time.Now(), results.Now())
	default:
		http.Error(w, "there is no source "+name, http.StatusNotFound)
		return
	}
	w.Header()[TriggerHeader] = []string{id}
	w.WriteHeader(http.StatusAccepted)
}

// serve answers a request for an object, as S3 does one in path style.
func (b *bucket) serve(w http.ResponseWriter, r *http.Request, key string) {
	w.Header()["X-Amz-Request-Id"] = []string{api.NewID()}
	if key == "" {
		s3Error(w, http.StatusNotImplemented, "NotImplemented", "buckets are not listed or changed")
		return
	}
	if err := objectKey(key); err != nil {
		s3Error(w, http.StatusBadRequest, "InvalidArgument", err.Error())
		return
	}
	switch r.Method {
	case http.MethodPut:
		b.servePut(w, r, key)
	case http.MethodGet, http.MethodHead:
		b.serveGet(w, r, key)
	case http.MethodDelete:
		if err := b.remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s3Error(w, http.StatusInternalServerError, "InternalError", err.Error())
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		s3Error(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "objects are put, got and deleted")
	}
}

func (b *bucket) servePut(w http.ResponseWriter, r *http.Request, key string) {
	if r.Header.Get("X-Amz-Copy-Source") != "" {
		s3Error(w, http.StatusNotImplemented, "NotImplemented", "objects are not copied")
		return
	}
	var body io.Reader = http.MaxBytesReader(w, r.Body, maxObject)
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		body = httputil.NewChunkedReader(body) // aws-chunked is of the same form
	}
	etag, id, err := b.put(key, body)
	if err != nil {
		s3Error(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	w.Header()["ETag"] = []string{`"` + etag + `"`}
	w.Header()[TriggerHeader] = []string{id}
	w.WriteHeader(http.StatusOK)
}

// put writes an object, which the watch of its folder then tells of.
func (b *bucket) put(key string, r io.Reader) (etag, id string, err error) {
	hash := md5.New()
	if err := put(b.Folder, key, io.TeeReader(r, hash), func() { b.accept(key) }); err != nil {
		b.taken(key)
		return "", "", err
	}
	etag = hex.EncodeToString(hash.Sum(nil))
	return etag, trigger(b.Name, object{key: key, etag: etag}), nil
}

func (b *bucket) serveGet(w http.ResponseWriter, r *http.Request, key string) {
	f, err := openIn(b.Folder, key)
	if err != nil {
		s3Error(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		s3Error(w, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	w.Header().Set("Content-Type", "binary/octet-stream")
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// s3Error writes an error as S3 does.
func s3Error(w http.ResponseWriter, status int, code, message string) {
	var b element
	b.open("Error", "")
	b.text("Code", code)
	b.text("Message", message)
	b.close("Error")
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	io.Copy(w, bytes.NewBufferString(b.String()))
}
