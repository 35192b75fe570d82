package target_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coldstorm/loadgen/target"
)

func TestBothFormatsOfVegetaAreRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte(`{"a":1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	want := []target.Target{
		{Method: "GET", URL: "http://host/a", Header: http.Header{"All": {"x"}, "x-lower": {"1", "2"}}, Body: []byte("usual")},
		{Method: "POST", URL: "https://host/b", Header: http.Header{"All": {"x"}}, Body: []byte(`{"a":1}`)},
	}
	for format, list := range map[string]string{
		"http": "\n# a comment\nGET http://host/a\nx-lower: 1\nx-lower: 2\n\nPOST https://host/b\n@" + file + "\n",
		"json": "\n" + `{"method": "GET", "url": "http://host/a", "header": {"x-lower": ["1", "2"]}}` + "\n" +
			`{"method": "POST", "url": "https://host/b", "body": "eyJhIjoxfQ=="}` + "\n",
	} {
		got, err := target.Read(strings.NewReader(list), []byte("usual"), http.Header{"All": {"x"}})
		if err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
}

func TestAListWithoutATargetIsRefused(t *testing.T) {
	for _, list := range []string{"", "\n \n", "# nothing\n"} {
		if _, err := target.Read(strings.NewReader(list), nil, nil); !errors.Is(err, target.ErrNone) {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func TestErrorsSayWhichTarget(t *testing.T) {
	for list, want := range map[string]string{
		"GET http://host/\n\nGET":                            "target 2: bad target",
		"http://host/\n":                                     "target 1: bad target",
		"GET http://host/\nheader\n":                         "target 1: bad header",
		"GET http://host/\n\nPOST http://host/\n@/no/file\n": "target 2: bad body",
		"GET ftp://host/\n":                                  "target 1: URL \"ftp://host/\": scheme",
		"GET /path\n":                                        "target 1: URL \"/path\"",
		`{"method": "GET", "url": "http://h/"}` + "\n{\"a\n": "target 2: parse error",
		`{"url": "http://h/"}` + "\n":                        "target 1: target: required method",
		`{"method": "GET", "url": "http:///x"}` + "\n":       "has no host",
	} {
		if _, err := target.Read(strings.NewReader(list), nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", list, err, want)
		}
	}
}

func FuzzReadNeverPanics(f *testing.F) {
	f.Add("GET http://host/\nA: b\n\n")
	f.Add(`{"method": "GET", "url": "http://h/", "body": "eA=="}` + "\n")
	f.Fuzz(func(t *testing.T, list string) {
		if strings.Contains(list, "@") {
			t.Skip() // reads files
		}
		got, err := target.Read(strings.NewReader(list), nil, nil)
		if (err == nil) != (len(got) > 0) {
			t.Errorf("%d targets, error %v", len(got), err)
		}
	})
}
