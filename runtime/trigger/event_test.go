package trigger

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// leaves are the paths of all values in a JSON text, and body's own.
func leaves(t *testing.T, event string) (all []string) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(event), &v); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch x := v.(type) {
		case map[string]any:
			for k, e := range x {
				walk(path+"."+k, e)
			}
		case []any:
			for _, e := range x {
				walk(path+"[]", e)
			}
		default:
			if strings.HasSuffix(path, ".body") || strings.HasSuffix(path, ".content") {
				path += "=" + x.(string)
			}
			all = append(all, path)
		}
	}
	walk("", v)
	slices.Sort(all)
	return all
}

func TestAnEventToTryAFunctionWithIsLikeTheSources(t *testing.T) {
	for name, x := range map[string]Source{
		"queue":    {Queue: &Queue{Name: "storm", Function: "f"}},
		"bucket":   {Bucket: &Bucket{Name: "storm", Folder: t.TempDir(), Function: "f"}},
		"schedule": {Schedule: &Schedule{Name: "storm", Expression: "rate(1 day)", Function: "f"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &functions{}
			s := sources(t, f)
			if err := s.Add(x); err != nil {
				t.Fatal(err)
			}
			done, stop := s.ledger.listen()
			defer stop()
			w := httptest.NewRecorder()
			s.Handler(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("POST", "/coldstorm/publish/storm", strings.NewReader(`{"a":1}`)))
			if w.Code != http.StatusAccepted {
				t.Fatal(w.Code, w.Body)
			}
			<-done
			came, _ := f.last(t)
			if got, want := leaves(t, string(x.Event([]byte(`{"a":1}`)))), leaves(t, came); !slices.Equal(got, want) {
				t.Errorf("event has %v\nwant %v", got, want)
			}
		})
	}
}

// full has no room for asynchronous events.
type full struct{ functions }

func (*full) Enqueue(string, live.Request, func(live.Result, results.Stamp, int)) error {
	return errors.New("full")
}

func TestAnEventWithoutRoomIsToldOf(t *testing.T) {
	s := sources(t, nil)
	s.Connect(&full{})
	for _, x := range []Source{
		{Bucket: &Bucket{Name: "photos", Folder: t.TempDir(), Function: "f"}},
		{Schedule: &Schedule{Name: "daily", Expression: "rate(1 day)", Function: "f"}},
	} {
		if err := s.Add(x); err != nil {
			t.Fatal(err)
		}
	}
	done, stop := s.ledger.listen()
	defer stop()
	for _, name := range []string{"photos", "daily"} {
		w := httptest.NewRecorder()
		s.Handler(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("POST", "/coldstorm/publish/"+name, strings.NewReader("1")))
		c := <-done
		if c.Trigger != w.Header().Get(TriggerHeader) || c.Outcome != results.OutcomeFailed || c.Reason != "full" || c.Attempts != 0 || c.Done < c.Poll || c.Poll == 0 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
