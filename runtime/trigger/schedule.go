package trigger

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// ruleForm is what a rule may be called (Amazon EventBridge API reference:
// PutRule).
var ruleForm = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)

// Schedule is a rule that is due by the clock, and its function.
type Schedule struct {
	Name       string `json:"name"`
	Expression string `json:"expression"` // rate(...) or cron(...), see plane.ParseSchedule
	Function   string `json:"function"`
}

// schedule is a Schedule that is under way.
type schedule struct {
	Schedule
	sources *Sources
}

func (s *Sources) addSchedule(x Schedule) error {
	if !ruleForm.MatchString(x.Name) {
		return fmt.Errorf("schedule %q: the name is not of 1 to 64 letters, digits, dots, hyphens and underscores", x.Name)
	}
	when, err := plane.ParseSchedule(x.Expression)
	if err != nil {
		return err
	}
	if err := s.there(x.Function); err != nil {
		return fmt.Errorf("schedule %s: %w", x.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.named(x.Name) {
		return fmt.Errorf("schedule %s: %w", x.Name, ErrTaken)
	}
	r := &schedule{x, s}
	s.schedules[x.Name] = r
	begin := time.Now()
	s.begin(func() { r.run(when, begin) })
	return nil
}

// run publishes an event whenever one is due. One that this machine slept through
// is not made up for.
func (r *schedule) run(when plane.Schedule, begin time.Time) {
	for at := begin; ; {
		due := when.Next(begin, at)
		if due.IsZero() {
			r.sources.config.Say("schedule %s is never due again", r.Name)
			return
		}
		alarm := time.NewTimer(time.Until(due))
		select {
		case <-r.sources.ctx.Done():
			alarm.Stop()
			return
		case <-alarm.C:
		}
		if time.Until(due) > 0 { // the clock was set back
			continue
		}
		late := time.Since(due)
		r.publish(due, results.Now().Add(-late))
		if at = due; late > time.Minute {
			at = time.Now()
		}
	}
}

// publish tells the function that a time has come, and returns the event's id.
func (r *schedule) publish(due time.Time, at results.Stamp) string {
	id := api.NewID()
	event := r.event(id, due)
	c := Completion{Trigger: id, Source: "schedule " + r.Name, Function: r.Function, Publish: at, Poll: results.Now()}
	err := r.sources.functions.Enqueue(r.Function, live.Request{ID: id, Payload: event, ContentType: "application/json"},
		func(res live.Result, _ results.Stamp, attempts int) {
			c.Attempts = attempts
			c.complete(res)
			r.sources.ledger.add(c)
		})
	if err != nil {
		r.sources.config.Say("schedule %s: %v", r.Name, err)
		r.sources.ledger.add(c.lost(err))
	}
	return id
}

func (x Schedule) event(id string, due time.Time) []byte {
	return marshal(scheduledEvent{
		Version: "0", ID: id, DetailType: "Scheduled Event", Source: "aws.events", Account: live.Account, Time: due.UTC().Format("2006-01-02T15:04:05Z"),
		Region: live.Region, Resources: []string{arn("events", "rule/"+x.Name)}, Detail: json.RawMessage("{}"),
	})
}

// scheduledEvent is that of a rule of EventBridge (facts/aws.md section 3.5).
type scheduledEvent struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// CheckExpression reports what is wrong with a schedule's expression.
func CheckExpression(s string) error {
	_, err := plane.ParseSchedule(s)
	return err
}
