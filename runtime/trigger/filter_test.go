package trigger

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/results"
)

// one is a message with a body, and one message attribute.
func one(body string) sqsRecord {
	kind := "fast"
	return sqsRecord{
		MessageID: "m", Body: body, Attributes: map[string]string{"ApproximateReceiveCount": "1"}, Source: "aws:sqs",
		Message: map[string]sqsAttribute{"kind": {StringValue: &kind, DataType: "String"}},
	}
}

func criteria(patterns ...string) *filterCriteria {
	c := &filterCriteria{}
	for _, p := range patterns {
		c.Filters = append(c.Filters, struct{ Pattern string }{p})
	}
	return c
}

func TestFiltersPassWhatTheirRulesSay(t *testing.T) {
	const order = `{"id": 7, "price": 19.5, "state": "paid", "user": {"name": "Ann", "note": ""}, "gone": null, "tags": ["a", "b"], "big": true, "rows": [{"n": 1, "k": "x"}, {"n": 2, "k": "y"}]}`
	for _, tt := range []struct {
		name, pattern, body string
		want                bool
	}{
		{"equal strings", `{"body": {"state": ["paid"]}}`, order, true},
		{"unequal strings", `{"body": {"state": ["open"]}}`, order, false},
		{"equal numbers", `{"body": {"id": [7.0]}}`, order, true},
		{"a number is no string", `{"body": {"id": ["7"]}}`, order, false},
		{"true", `{"body": {"big": [true]}}`, order, true},
		{"one of several values", `{"body": {"state": ["open", "paid"]}}`, order, true},
		{"all fields", `{"body": {"state": ["paid"], "id": [8]}}`, order, false},
		{"nested fields", `{"body": {"user": {"name": ["Ann"]}}}`, order, true},
		{"null", `{"body": {"gone": [null]}}`, order, true},
		{"null is not absent", `{"body": {"none": [null]}}`, order, false},
		{"empty", `{"body": {"user": {"note": [""]}}}`, order, true},
		{"prefix", `{"body": {"state": [{"prefix": "pa"}]}}`, order, true},
		{"another prefix", `{"body": {"state": [{"prefix": "ai"}]}}`, order, false},
		{"suffix", `{"body": {"state": [{"suffix": "id"}]}}`, order, true},
		{"ignoring case", `{"body": {"user": {"name": [{"equals-ignore-case": "ANN"}]}}}`, order, true},
		{"exists", `{"body": {"id": [{"exists": true}]}}`, order, true},
		{"an object does not exist as a leaf", `{"body": {"user": [{"exists": true}]}}`, order, false},
		{"does not exist", `{"body": {"none": [{"exists": false}]}}`, order, true},
		{"exists though it must not", `{"body": {"id": [{"exists": false}]}}`, order, false},
		{"of nothing nothing exists", `{"body": {"none": {"deep": [{"exists": false}]}}}`, order, true},
		{"more than", `{"body": {"price": [{"numeric": [">", 19]}]}}`, order, true},
		{"in a range", `{"body": {"price": [{"numeric": [">=", 19.5, "<", 20]}]}}`, order, true},
		{"out of a range", `{"body": {"price": [{"numeric": [">", 19.5, "<", 20]}]}}`, order, false},
		{"numeric and equal", `{"body": {"price": [{"numeric": ["=", 19.5]}]}}`, order, true},
		{"numeric of a string", `{"body": {"state": [{"numeric": [">", 0]}]}}`, order, false},
		{"anything but", `{"body": {"state": [{"anything-but": "open"}]}}`, order, true},
		{"anything but these", `{"body": {"state": [{"anything-but": ["open", "paid"]}]}}`, order, false},
		{"anything but a prefix", `{"body": {"state": [{"anything-but": {"prefix": "pa"}}]}}`, order, false},
		{"anything but, of nothing", `{"body": {"none": [{"anything-but": ["x"]}]}}`, order, false},
		{"one of an array", `{"body": {"tags": ["b"]}}`, order, true},
		{"none of an array", `{"body": {"tags": ["c"]}}`, order, false},
		{"one object of an array", `{"body": {"rows": {"n": [2], "k": ["y"]}}}`, order, true},
		{"no one object of an array", `{"body": {"rows": {"n": [1], "k": ["y"]}}}`, order, false},
		{"or", `{"body": {"$or": [{"id": [8]}, {"state": ["paid"]}]}}`, order, true},
		{"neither", `{"body": {"$or": [{"id": [8]}, {"state": ["open"]}]}}`, order, false},
		{"or, and another field", `{"body": {"id": [8], "$or": [{"id": [7]}, {"state": ["paid"]}]}}`, order, false},
		{"a body of text", `{"body": ["hello"]}`, "hello", true},
		{"another text", `{"body": ["hello"]}`, "hallo", false},
		{"text by its prefix", `{"body": [{"prefix": "hel"}]}`, "hello", true},
		{"text for a pattern of JSON", `{"body": {"id": [{"exists": false}]}}`, "hello", false},
		{"JSON for a pattern of text", `{"body": [{"prefix": "{"}]}`, order, false},
		{"JSON that is no object is text", `{"body": ["7"]}`, "7", true},
		{"metadata", `{"attributes": {"ApproximateReceiveCount": ["1"]}}`, "hello", true},
		{"a message attribute", `{"messageAttributes": {"kind": {"stringValue": ["fast"]}}}`, order, true},
		{"another value of it", `{"messageAttributes": {"kind": {"stringValue": ["slow"]}}}`, order, false},
		{"text and metadata", `{"body": ["hello"], "eventSource": ["aws:sqs"]}`, "hello", true},
		{"numbers beyond floats are compared as floats", `{"body": {"id": [7]}}`, `{"id": 7.000000000000000000001}`, true},
		{"two values are no JSON", `{"body": {"id": [7]}}`, `{"id": 7} {"id": 7}`, false},
	} {
		f, err := criteria(tt.pattern).read()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := f.pass(one(tt.body)); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestOneOfSeveralFiltersPasses(t *testing.T) {
	f, err := criteria(`{"body": ["a"]}`, `{"body": {"n": [1]}}`).read()
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]bool{"a": true, `{"n": 1}`: true, "b": false, `{"n": 2}`: false} {
		if f.pass(one(body)) != want {
			t.Errorf("%s: %v", body, !want)
		}
	}
	if all, err := criteria(`{"body": ["a"]}`, "").read(); err != nil || !all.pass(one("b")) {
		t.Errorf("an empty pattern: %v", err)
	}
}

func TestPatternsAreRefusedThatCannotBeRead(t *testing.T) {
	long := `{"body": ["` + strings.Repeat("x", longestRules) + `"]}`
	for _, p := range []string{
		"x", "[]", "{}", `{"body": "x"}`, `{"body": []}`, `{"body": {}}`, `{"body": [[1]]}`, `{"body": [{"prefix": 1}]}`, `{"body": [{"like": "x"}]}`,
		`{"body": [{"prefix": "a", "suffix": "b"}]}`, `{"body": [{"exists": 1}]}`, `{"body": [{"numeric": [">"]}]}`, `{"body": [{"numeric": ["!", 1]}]}`,
		`{"body": [{"numeric": [">", "1"]}]}`, `{"body": [{"anything-but": []}]}`, `{"body": [{"anything-but": {"exists": true}}]}`, `{"$or": [{"body": ["x"]}]}`, `{"$or": ["x", "y"]}`,
		`{"body": ["x"]} {}`, long,
	} {
		if _, err := criteria(p).read(); err == nil || !strings.HasPrefix(err.Error(), "Invalid filter pattern definition.") {
			t.Errorf("%.40s: %v", p, err)
		}
	}
	if _, err := criteria(slicesOf(mostFilters+1, `{"body": ["x"]}`)...).read(); err == nil {
		t.Error("more filters than can be")
	}
}

func slicesOf(n int, s string) (list []string) {
	for range n {
		list = append(list, s)
	}
	return list
}

func TestFilteredMessagesAreDeletedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &functions{}
		s := sources(t, f)
		q, err := s.createQueue("q", nil)
		if err != nil {
			t.Fatal(err)
		}
		settings := map[string]any{
			"EventSourceArn": q.arn(), "FunctionArn": "f", "State": "Enabled",
			"FilterCriteria": map[string]any{"Filters": []any{map[string]any{"Pattern": `{"body": {"n": [{"numeric": [">", 1]}]}}`}}},
		}
		if err := s.Map("m", settings, time.Second); err != nil {
			t.Fatal(err)
		}
		told := make(chan Completion, 10)
		s.ledger.mu.Lock()
		s.ledger.listeners = map[chan Completion]struct{}{told: {}}
		s.ledger.mu.Unlock()
		for _, body := range []string{`{"n": 1}`, `{"n": 2}`, "text"} {
			q.send(body, nil, -1, order{})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if event, n := f.last(t); n != 1 || !strings.Contains(event, `{\"n\": 2}`) {
			t.Errorf("%d events, the last is %s", n, event)
		}
		if c, _, _ := q.counts(); c.Visible+c.InFlight+c.Delayed != 0 {
			t.Errorf("left in the queue: %+v", c)
		}
		reasons := map[string]int{}
		for range 3 {
			c := <-told
			reasons[string(c.Outcome)+" "+c.Reason]++
		}
		if reasons[string(results.OutcomeFailed)+" "+ReasonFiltered] != 2 || reasons[string(results.OutcomeServed)+" "] != 1 {
			t.Error(reasons)
		}
		end(s)
	})
}

// FuzzFilters reads any pattern and holds any body against it.
func FuzzFilters(f *testing.F) {
	f.Add(`{"body": {"$or": [{"a": [{"numeric": [">", 1, "<", 2]}]}, {"b": [{"anything-but": ["x"]}]}]}}`, `{"a": 1.5}`)
	f.Add(`{"body": [{"prefix": "x"}]}`, "xyz")
	f.Fuzz(func(t *testing.T, pattern, body string) {
		list, err := criteria(pattern).read()
		if err != nil {
			return
		}
		first := list.pass(one(body))
		var v any
		if json.Unmarshal([]byte(pattern), &v) == nil {
			again, err := criteria(string(marshal(v))).read()
			if err != nil {
				t.Skip("too long, written again")
			}
			if again.pass(one(body)) != first {
				t.Error("written again, it says otherwise")
			}
		}
	})
}
