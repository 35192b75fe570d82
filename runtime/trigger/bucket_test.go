package trigger

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// told makes a bucket, and returns its folder and what its function is told.
func told(t *testing.T, x Bucket) (*Sources, string, <-chan string) {
	t.Helper()
	out := make(chan string, 100)
	s := sources(t, &functions{behave: func(_ string, event []byte) live.Result {
		out <- string(event)
		return live.Result{Payload: []byte(`{"image":"` + base64.StdEncoding.EncodeToString([]byte("small")) + `"}`)}
	}})
	x.Name, x.Function = "photos", "f"
	if x.Folder == "" {
		x.Folder = t.TempDir()
	}
	add(t, s, Source{Bucket: &x})
	return s, x.Folder, out
}

// keyOf is the key that an event names.
func keyOf(t *testing.T, event string) string {
	t.Helper()
	var e events.S3Event
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		t.Fatal(err)
	}
	return e.Records[0].S3.Object.Key
}

func save(t *testing.T, folder, key, contents string) {
	t.Helper()
	path := filepath.Join(folder, key)
	if err := os.WriteFile(path, []byte(contents), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAnObjectIsToldOfWhenItsFileIsClosed(t *testing.T) {
	_, folder, events := told(t, Bucket{})
	f, err := os.Create(filepath.Join(folder, "slow"))
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("first ")
	save(t, folder, "quick", "x") // closed before
	same(t, "first event", keyOf(t, <-events), "quick")
	f.WriteString("second")
	f.Close()
	event := <-events
	same(t, "second event", keyOf(t, event), "slow")
	if want := base64.StdEncoding.EncodeToString([]byte("first second")); !strings.Contains(event, `"content":"`+want+`"`) {
		t.Errorf("event %s", event)
	}
}

func TestAFileThatIsMovedThereIsAnObject(t *testing.T) {
	_, folder, events := told(t, Bucket{})
	elsewhere := t.TempDir()
	save(t, elsewhere, "x", "x")
	if err := os.Rename(filepath.Join(elsewhere, "x"), filepath.Join(folder, "moved")); err != nil {
		t.Skip("the two folders lie on different file systems:", err)
	}
	same(t, "event", keyOf(t, <-events), "moved")
}

func TestFoldersInABucketAreWatchedFromTheirBeginning(t *testing.T) {
	_, folder, events := told(t, Bucket{})
	other := t.TempDir()
	if err := os.MkdirAll(filepath.Join(other, "in", "here"), 0o755); err != nil {
		t.Fatal(err)
	}
	save(t, other, "in/here/before", "x")
	if err := os.Rename(filepath.Join(other, "in"), filepath.Join(folder, "in")); err != nil {
		t.Skip("the two folders lie on different file systems:", err)
	}
	same(t, "event", keyOf(t, <-events), "in/here/before")
	save(t, folder, "in/here/after", "x")
	same(t, "event", keyOf(t, <-events), "in/here/after")
}

func TestAFileInANewFolderIsToldOfOnce(t *testing.T) {
	_, folder, events := told(t, Bucket{})
	for i := range 20 { // whichever comes first: the look into the folder, or the file
		dir := fmt.Sprintf("d%d", i)
		if err := os.Mkdir(filepath.Join(folder, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		save(t, folder, dir+"/x", "x")
	}
	save(t, folder, "last", "x")
	seen := map[string]int{}
	for len(seen) < 21 {
		seen[keyOf(t, <-events)]++
	}
	for key, n := range seen {
		if n != 1 {
			t.Errorf("%s was told of %d times", key, n)
		}
	}
}

func TestWhatIsHiddenOrUnasked(t *testing.T) {
	_, folder, events := told(t, Bucket{Prefix: "a", Suffix: ".jpg"})
	for _, key := range []string{".a.jpg", "a.png", "b.jpg", "a.jpg"} {
		save(t, folder, key, "x")
	}
	same(t, "the one event", keyOf(t, <-events), "a.jpg")
}

func TestAnObjectsEventHasS3sShape(t *testing.T) {
	_, folder, told := told(t, Bucket{})
	save(t, folder, "a b+ü.jpg", "x")
	event := strings.Replace(<-told, `,"content":"eA=="`, "", 1) // not S3's
	var e events.S3Event
	decode(t, event, &e)
	r := e.Records[0]
	if r.EventSource != "aws:s3" || r.EventName != "ObjectCreated:Put" || r.EventVersion != "2.1" || r.AWSRegion != "us-east-1" || time.Since(r.EventTime) > time.Hour ||
		r.S3.Bucket.Name != "photos" || r.S3.Bucket.Arn != "arn:aws:s3:::photos" || r.S3.Object.Size != 1 || r.S3.Object.ETag != md5Hex([]byte("x")) || r.S3.Object.Sequencer == "" {
		t.Errorf("event %s", event)
	}
	same(t, "key", r.S3.Object.Key, "a+b%2B%C3%BC.jpg")
	same(t, "key as it is", r.S3.Object.URLDecodedKey, "a b+ü.jpg")
}

func TestALargeObjectIsNotInItsEvent(t *testing.T) {
	_, folder, events := told(t, Bucket{})
	save(t, folder, "large", strings.Repeat("x", MaxContent+1))
	event := <-events
	if strings.Contains(event, "content") || !strings.Contains(event, fmt.Sprint(MaxContent+1)) {
		t.Errorf("event %.500s", event)
	}
}

func TestAnAnswerIsWrittenUnderTheObjectsKey(t *testing.T) {
	out := t.TempDir()
	s, folder, events := told(t, Bucket{Output: out, Field: "image"})
	c, stop := s.ledger.listen() // told of an event once its answer is written
	defer stop()
	if err := os.Mkdir(filepath.Join(folder, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	save(t, folder, "in/a.jpg", "large")
	<-events
	same(t, "completion", (<-c).Trigger, "photos/in/a.jpg#"+md5Hex([]byte("large")))
	b, err := os.ReadFile(filepath.Join(out, "in/a.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "output", string(b), "small")
}

func TestABucketsFoldersAreChecked(t *testing.T) {
	s := sources(t, &functions{})
	folder := t.TempDir()
	inside := filepath.Join(folder, "out")
	if err := os.Mkdir(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	for want, x := range map[string]Bucket{
		"lies in the folder": {Name: "aaa", Folder: folder, Function: "f", Output: inside},
		"no such file":       {Name: "aaa", Folder: folder + "/none", Function: "f"},
		"no such function":   {Name: "aaa", Folder: folder, Function: "none"},
		"own paths":          {Name: "2015-03-31", Folder: folder, Function: "f"},
		"lower-case":         {Name: "A", Folder: folder, Function: "f"},
	} {
		if err := s.Add(Source{Bucket: &x}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", x, err)
		}
	}
}

func TestObjectsAreReachedByHTTP(t *testing.T) {
	f := &functions{}
	s, server := endpoint(t, f)
	folder, outside := t.TempDir(), t.TempDir()
	save(t, outside, "secret", "x")
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	add(t, s, Source{Bucket: &Bucket{Name: "photos", Folder: folder, Function: "f"}})
	c, stop := s.ledger.listen()
	defer stop()
	do := func(method, path, body string, headers ...string) (*http.Response, string) {
		r, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(b)
	}
	r, _ := do("PUT", "/photos/a/b%20c", "contents")
	same(t, "put", r.StatusCode, 200)
	same(t, "ETag", r.Header.Get("ETag"), `"`+md5Hex([]byte("contents"))+`"`)
	same(t, "trigger", r.Header.Get(TriggerHeader), (<-c).Trigger)
	// What clients send that sign each chunk.
	do("PUT", "/photos/chunks", "3;chunk-signature=0\r\nabc\r\n0;chunk-signature=0\r\n\r\n", "X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
	_, body := do("GET", "/photos/chunks", "")
	same(t, "object in chunks", body, "abc")
	_, body = do("GET", "/photos/a/b%20c", "")
	same(t, "object", body, "contents")
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"HEAD", "/photos/a/b%20c", 200},
		{"DELETE", "/photos/a/b%20c", 204},
		{"DELETE", "/photos/a/b%20c", 204},
		{"GET", "/photos/a/b%20c", 404},
		{"GET", "/photos/link/secret", 404},
		{"PUT", "/photos/link/new", 400},
		{"PUT", "/photos/.hidden", 400},
		{"PUT", "/photos/..%2Fup", 400},
		{"PUT", "/photos/a/", 400},
		{"GET", "/photos/", 501},
		{"POST", "/photos/x", 405},
		{"GET", "/other/x", 404},
	} {
		r, _ := do(tt.method, tt.path, "x")
		same(t, tt.method+" "+tt.path, r.StatusCode, tt.want)
	}
	if _, err := os.Stat(filepath.Join(outside, "new")); err == nil {
		t.Error("a link leads a write out of the folder")
	}
}

func TestEverySourceIsPublishedToAtAURL(t *testing.T) {
	f := &functions{}
	s, server := endpoint(t, f)
	add(t, s, Source{Queue: &Queue{Name: "orders", Function: "f"}})
	add(t, s, Source{Bucket: &Bucket{Name: "photos", Folder: t.TempDir(), Function: "f", Suffix: ".jpg"}})
	add(t, s, Source{Schedule: &Schedule{Name: "daily", Expression: "rate(1 day)", Function: "f"}})
	stream, err := http.Get(server.URL + "/coldstorm/completions")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := json.NewDecoder(stream.Body)
	for _, name := range []string{"orders", "photos", "daily"} {
		sent := results.Now()
		r, err := http.Post(server.URL+"/coldstorm/publish/"+name, "", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		same(t, "status", r.StatusCode, 202)
		var c Completion
		if err := lines.Decode(&c); err != nil {
			t.Fatal(err)
		}
		same(t, "trigger of "+name, c.Trigger, r.Header.Get(TriggerHeader))
		if c.Publish < sent || c.Publish > c.Poll || c.Poll > c.Invoke || c.Invoke > c.Handler || c.Handler > c.Done {
			t.Errorf("stamps are out of order: %+v", c)
		}
	}
	var table bytes.Buffer
	if err := s.Latency(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"queue orders, warm start, n 1:", "bucket photos, warm start, n 1:", "schedule daily, warm start, n 1:", "publish to done"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	r, err := http.Post(server.URL+"/coldstorm/publish/none", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	same(t, "status of a source that isn't there", r.StatusCode, 404)
}

func TestAFunctionsHostIsTheFunctionsAlone(t *testing.T) {
	s := sources(t, &functions{})
	add(t, s, Source{Bucket: &Bucket{Name: "photos", Folder: t.TempDir(), Function: "f"}})
	for _, path := range []string{"/", "/photos/x", "/coldstorm/latency"} {
		r := httptest.NewRequest("POST", path, nil)
		r.Host = "abc.lambda-url.us-east-1.localhost:3001"
		w := httptest.NewRecorder()
		s.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })).ServeHTTP(w, r)
		same(t, path, w.Code, http.StatusTeapot)
	}
}

func TestPagesInABrowserPublishNothing(t *testing.T) {
	s, server := endpoint(t, &functions{})
	add(t, s, Source{Queue: &Queue{Name: "orders", Function: "f"}})
	for _, path := range []string{"/", "/coldstorm/publish/orders"} {
		r, err := http.NewRequest("POST", server.URL+path, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", "http://example.org")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		same(t, path, resp.StatusCode, 403)
	}
}

func TestRecordsOfAsynchronousEventsGoToQueues(t *testing.T) {
	s := sources(t, &functions{})
	q := must[*queue](t)(s.createQueue("failed", nil))
	if err := s.Deliver(q.arn(), []byte("record"), map[string]string{"ErrorCode": "200"}); err != nil {
		t.Fatal(err)
	}
	got, _ := q.receive(1, -1)
	same(t, "record", got[0].body+*got[0].content.attributes["ErrorCode"].StringValue, "record200")
	for _, arn := range []string{"arn:aws:sqs:us-east-1:123456789012:none", "arn:aws:sns:us-east-1:123456789012:topic"} {
		if s.Deliver(arn, nil, nil) == nil {
			t.Errorf("%s takes records", arn)
		}
	}
}
