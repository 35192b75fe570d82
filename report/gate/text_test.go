package gate

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"coldstorm/results"
)

var update = flag.Bool("update", false, "write testdata")

func TestText(t *testing.T) {
	slow := full(2)
	slow.factor = 1.2
	aborted := full(2).arm("head")
	aborted.Run.Status = results.StatusAborted
	invalid := full(2).arm("head")
	invalid.Run.Status = results.StatusInvalid
	for name, head := range map[string]Arm{
		"same": full(2).arm("head"), "slower": slow.arm("head"), "aborted": aborted, "invalid": invalid,
		"few": synthetic{seed: 2, cold: 3, warm: 2197}.arm("head"),
	} {
		var b bytes.Buffer
		r := Compare(full(1).arm("base"), head, quick)
		if err := r.Text(&b); err != nil {
			t.Fatal(err)
		}
		file := "testdata/" + name + ".txt"
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, b.String(), want)
		}
		if first, _, _ := strings.Cut(b.String(), ":"); first != strings.ToUpper(string(r.Verdict)) {
			t.Errorf("%s: it starts with %q", name, first)
		}
	}
}

func TestReportSurvivesJSON(t *testing.T) {
	for _, head := range []Arm{full(2).arm("head"), synthetic{seed: 1}.arm("head")} {
		r := Compare(full(1).arm("base"), head, quick)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back Report
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		for i := range r.Rows {
			r.Rows[i].barriers = nil // they are in Why
		}
		if !reflect.DeepEqual(r, back) {
			t.Errorf("read back\n%+v\nwrote\n%+v", back, r)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[int64]string{0: "0ns", 999: "999ns", 1500: "1.5µs", 139_912_345: "139.9ms", 2_500_000_000: "2.5s"} {
		row := Row{Unit: Nanoseconds}
		if got := row.figure(float64(d), 1); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
