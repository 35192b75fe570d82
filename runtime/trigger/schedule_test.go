package trigger

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// times are those of scheduled events.
func times(t *testing.T, all []string) string {
	t.Helper()
	var out []string
	for _, event := range all {
		var e events.EventBridgeEvent
		decode(t, event, &e)
		out = append(out, e.Time.Format(time.RFC3339))
	}
	return strings.Join(out, " ")
}

// decode reads an event into the type that AWS's library has for it, which must
// know every key.
func decode(t *testing.T, event string, v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(event))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%v: %s", err, event)
	}
}

func TestARateIsDueEveryPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which begins at midnight of 2000-01-01
		f := &functions{}
		s := sources(t, f)
		add(t, s, Source{Schedule: &Schedule{Name: "often", Expression: "rate(2 minutes)", Function: "f"}})
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		same(t, "times", times(t, f.events), "2000-01-01T00:02:00Z 2000-01-01T00:04:00Z")
		end(s)
	})
}

func TestACronIsDueByTheCalendar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &functions{}
		s := sources(t, f)
		add(t, s, Source{Schedule: &Schedule{Name: "mondays", Expression: "cron(30 9 ? * MON *)", Function: "f"}})
		time.Sleep(14 * 24 * time.Hour)
		synctest.Wait()
		same(t, "times", times(t, f.events), "2000-01-03T09:30:00Z 2000-01-10T09:30:00Z")
		end(s)
	})
}

func TestAScheduledEventHasEventBridgesShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &functions{}
		s := sources(t, f)
		add(t, s, Source{Schedule: &Schedule{Name: "once", Expression: "cron(0 0 1 2 ? 2000)", Function: "f"}})
		time.Sleep(60 * 24 * time.Hour)
		synctest.Wait()
		event, n := f.last(t)
		same(t, "events", n, 1)
		var e events.EventBridgeEvent
		decode(t, event, &e)
		if e.Version != "0" || e.DetailType != "Scheduled Event" || e.Source != "aws.events" || e.AccountID != "123456789012" || e.Region != "us-east-1" ||
			len(e.Resources) != 1 || e.Resources[0] != "arn:aws:events:us-east-1:123456789012:rule/once" || string(e.Detail) != "{}" || len(e.ID) != 36 {
			t.Errorf("event %s", event)
		}
		end(s)
	})
}

func TestSchedulesAreRefused(t *testing.T) {
	s := sources(t, &functions{})
	for want, x := range map[string]Schedule{
		"plural":           {Name: "a", Expression: "rate(1 minutes)", Function: "f"},
		"no such function": {Name: "a", Expression: "rate(1 minute)", Function: "none"},
		"name":             {Name: "a b", Expression: "rate(1 minute)", Function: "f"},
	} {
		if err := s.Add(Source{Schedule: &x}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", x, err)
		}
	}
	one := Source{Schedule: &Schedule{Name: "a", Expression: "rate(1 day)", Function: "f"}}
	add(t, s, one)
	if err := s.Add(one); err == nil {
		t.Error("a name is given twice")
	}
}
