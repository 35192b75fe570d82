package trace

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, format Format, text string) *Trace {
	t.Helper()
	tr, err := Read(strings.NewReader(text), format)
	if err != nil {
		t.Fatalf("%v\n%.300s", err, text)
	}
	return tr
}

// drawAll are the arrivals of a function, handed out in small pieces.
func drawAll(t *testing.T, tr *Trace, f *Function, w Window, place Placement, seed int64) []time.Duration {
	t.Helper()
	var all []time.Duration
	buf := make([]time.Duration, 7)
	a := tr.Arrivals(f, w, place, seed)
	for n := a.Next(buf); n > 0; n = a.Next(buf) {
		all = append(all, buf[:n]...)
	}
	for i := 1; i < len(all); i++ {
		if all[i] < all[i-1] {
			t.Fatalf("%s: arrival %d at %v, before the one at %v", f.Name, i, all[i], all[i-1])
		}
	}
	return all
}

func TestAzure2019CountsAreThoseOfTheFileToTheLastInvocation(t *testing.T) {
	tr, err := Open("testdata/invocations.csv", "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/invocations.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	minutes := len(rows[0]) - 4
	if tr.Format != Azure2019 || tr.Span != time.Duration(minutes)*time.Minute || len(tr.Functions) != len(rows)-1 {
		t.Fatalf("%s of %v, %d functions", tr.Format, tr.Span, len(tr.Functions))
	}
	total := int64(0)
	for i, row := range rows[1:] {
		fn := &tr.Functions[i]
		if fn.Trigger != row[3] {
			t.Errorf("trigger %q", fn.Trigger)
		}
		for _, place := range []Placement{Uniform, Even} {
			got := make([]int, minutes)
			for _, at := range drawAll(t, tr, fn, Window{}, place, 1) {
				got[at/time.Minute]++
			}
			for m := range minutes {
				if want, _ := strconv.Atoi(row[4+m]); got[m] != want {
					t.Fatalf("%s, function %d, minute %d: %d invocations, want %d", place, i, m+1, got[m], want)
				}
			}
		}
		total += fn.Invocations()
	}
	if s := tr.Summary(); s.Invocations != total || tr.Invocations() != total || s.Functions != len(rows)-1 || s.PeakMinute == 0 {
		t.Errorf("%+v, want %d invocations", s, total)
	}
	// The files beside it.
	if fn := tr.Functions[0]; fn.MemoryMB != 120 || fn.Duration.P50 != 100*time.Millisecond || fn.Duration.Max != 101*time.Millisecond {
		t.Errorf("memory %d MB, durations %+v", fn.MemoryMB, fn.Duration)
	}
}

func TestAzure2021ArrivesADurationBeforeItsEnd(t *testing.T) {
	tr, err := Open("testdata/Azure2021_30.csv", "")
	if err != nil {
		t.Fatal(err)
	}
	first := tr.Functions[0]
	if tr.Format != Azure2021 || first.arrivals[0] != time.Second || first.Duration.Min != 9*time.Second {
		t.Errorf("%s: %v, %+v", tr.Format, first.arrivals, first.Duration)
	}
	whole, err := Open("testdata/Azure2021_200.csv", "")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile("testdata/Azure2021_200.csv")
	if err != nil {
		t.Fatal(err)
	}
	if rows := len(strings.Split(strings.TrimSpace(string(lines)), "\n")) - 1; whole.Invocations() != int64(rows) {
		t.Errorf("%d invocations of %d rows", whole.Invocations(), rows)
	}
}

func TestFormatsAreToldFromTheFirstLine(t *testing.T) {
	for _, c := range []struct {
		format    Format
		text      string
		functions string // names, joined
		at        string // arrivals of the first, joined; of counts: count@bucket
	}{
		{Huawei2023, "day,time,28,33\n0,0,2.0,NaN\n0,60,0.0,3\n0,120,1,\n", "28 33", "2@0s 1@2m0s"},
		{Huawei2023, "day,time,28\n3,259200,1\n3,259201,4\n", "28", "1@0s 4@1s"},
		{Huawei2025, "time_worker,time_frontend,requestID,clusterName,funcName,podID,userID,totalCost_worker\n5.5,6,x,1,296,pool22-300-128-0000618412,224,0.5\n7,7.25,y,1,296,pool22-300-128-0000618412,224,0.5\n", "296---224---pool22-300-128", "0s 1.25s"},
		{Huawei2025, "day,time,clusterName,funcName,userID,requestID,totalCost_cold_start,podID\n0,10,1,10,134,a,2.2,pool24-600-512-0000577863\n", "10---134---pool24-600-512", "0s"},
		{IBM, `{"NamespaceHash":"n","AppHash":"a","NumEvents":2,"InvocationTimes":[12.5,11.0],"AppExecTimes":[3.0,4.0]}` + "\n", "n/a", "0s 1.5s"},
		{Vegeta, `{"attack":"","seq":0,"code":200,"timestamp":"2026-01-02T03:04:05.5Z","latency":10,"method":"GET","url":"http://h/p?q=1","error":""}` + "\n" + `{"timestamp":"2026-01-02T03:04:06Z","latency":1,"attack":"","method":"GET","url":"http://h/p"}`, "GET http://h/p", "0s 500ms"},
		{Vegeta, "1700000000000000000,200,123,0,0,,,,0,GET,http://h/,\n1700000000250000000,200,123,0,0,,,,1,GET,http://h/,\n", "GET http://h/", "0s 250ms"},
		{Log, `127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a?b HTTP/1.0" 200 2326` + "\n" + `::1 - - [10/Oct/2000:20:55:38 +0000] "GET /a HTTP/1.1" 200 1 "-" "curl"` + "\n", "GET /a", "0s 2s"},
		{JSON, `{"time":"2026-01-02T03:04:05Z","method":"POST","path":"/x"}` + "\n\n" + `{"time":1767323046,"method":"POST","path":"/x"}`, "POST /x", "0s 1s"},
		{JSON, `{"ts":1767323045000,"function":"f"}` + "\n" + `{"ts":1767323045500,"function":"f"}`, "f", "0s 500ms"},
		{CSV, "0.5\n1\n\n3.25\n", "function", "0s 500ms 2.75s"},
		{CSV, "function,time\nb,2026-01-02 03:04:05\na,2026-01-02T03:04:06.5Z\nb,2026-01-02 03:04:07\n", "b a", "0s 2s"},
		{CSV, "\ufeffseconds\n7\n9\n", "function", "0s 2s"},
	} {
		for _, stated := range []Format{"", c.format} {
			tr := read(t, stated, c.text)
			var names, at []string
			for i := range tr.Functions {
				names = append(names, tr.Functions[i].Name)
			}
			first := &tr.Functions[0]
			for _, a := range first.arrivals {
				at = append(at, a.String())
			}
			for w := first.counts.walk(); ; {
				bucket, n, ok := w.bucket()
				if !ok {
					break
				}
				at = append(at, strconv.FormatInt(n, 10)+"@"+(time.Duration(bucket)*first.counts.every).String())
			}
			if tr.Format != c.format || strings.Join(names, " ") != c.functions || strings.Join(at, " ") != c.at {
				t.Errorf("%q\nis %s of %v at %v\nwant %s of %s at %s", c.text, tr.Format, names, at, c.format, c.functions, c.at)
			}
		}
	}
}

func TestMistakesAreShownWithTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"":              "line 1",
		"hello world\n": "line 1: no trace that is known",
		"app,func,end_timestamp,duration\na,b,x,1\n":                             "line 2: column end_timestamp",
		"app,func,end_timestamp,duration\na,b,1\n":                               "line 2: 3 columns",
		"app,func,end_timestamp,duration\na,b,1,1\n\na,b,-1,1\n":                 "line 4",
		"app,func,end_timestamp,duration\n":                                      "no invocation",
		"day,time,1\n0,5,1\n0,5,1\n":                                             "line 3: time 5 is not after",
		"day,time,1\n0,5,1.5\n":                                                  "line 2: column 1: 1.5 is no count",
		"day,time,1,1\n0,5,1,1\n":                                                "two columns of the same name",
		"0.5\nx\n":                                                               `line 2: "x" is no time`,
		"HashOwner,HashApp,HashFunction,Trigger,1\no,a,f,http,1\no,a,f,http,1\n": "line 3: function a/f… a second time",
		`{"InvocationTimes":[1]}`:                                                "line 1: no line of IBM's trace: it has no AppHash",
		`{"a":1}`:                                                                "line 1: no time",
		`{"time":"2026-01-02T03:04:05Z"}` + "\n{":                                "line 2: no JSON object",
	} {
		_, err := Read(strings.NewReader(text), "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := Open("testdata/absent.csv", ""); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := Read(strings.NewReader("1\n"), "tape"); err == nil {
		t.Error("a format that there is not was read")
	}
}

func TestAPackedFileIsUnpacked(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("1\n2\n"))
	z.Close()
	path := filepath.Join(t.TempDir(), "times.csv.gz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	tr, err := Open(path, "")
	if err != nil || tr.Invocations() != 2 {
		t.Errorf("%v, %v", tr, err)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f,http,1,2\n", "app,func,end_timestamp,duration\na,b,2,1\n", "day,time,1,2\n0,0,1,NaN\n0,60,1,2\n",
		"time,funcName,userID,podID\n1,2,3,pool22-300-128-1\n", `{"AppHash":"a","InvocationTimes":[1,2]}`, `{"timestamp":"2026-01-02T03:04:05Z","latency":1,"attack":"a"}`,
		`1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1`, "0.5\n1\n", "1700000000000000000,200,1,\n", "1e300\n", "day,time,1\n0,0,1\n0,1e-9,1\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range append([]Format{""}, Formats...) {
			tr, err := Read(strings.NewReader(text), format)
			if err != nil {
				continue
			}
			if tr.Span < 0 || tr.Invocations() <= 0 {
				t.Fatalf("%s: span %v, %d invocations", tr.Format, tr.Span, tr.Invocations())
			}
			tr.Summary()
			for i := range tr.Functions {
				fn := &tr.Functions[i]
				if fn.Invocations() > 1000 {
					continue
				}
				got := drawAll(t, tr, fn, Window{}, Uniform, 1)
				if int64(len(got)) != fn.Invocations() || len(got) > 0 && (got[0] < 0 || got[len(got)-1] > tr.Span) {
					t.Fatalf("%s: %d of %d invocations, from %v to %v of %v", tr.Format, len(got), fn.Invocations(), got[0], got[len(got)-1], tr.Span)
				}
			}
		}
	})
}
