package live

import (
	"fmt"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
)

// report writes the lines that end an invocation and returns its log's tail, if
// the request wants it. began says that a START line was written. The lines are
// those of AWS Lambda's text format, fields parted by tabs and one at the end, or of JSON.
// How an environment ended is the REPORT line's status, and a line of its own
// where Config.FreeText asks for Lambda's older form.
func (u *unit) report(r Request, res Result, a api.Response, began bool) []byte {
	if u.f.log == nil && !r.Tail {
		return nil
	}
	if r.Tail {
		u.out.catchUp()
	}
	var b []byte
	if !began {
		if !res.joined { // the line is the environment's, not each one's that waited for it
			b = u.appendFailedStart(b, res)
		}
		b = u.config.appendInvoke(b, r)
	}
	if u.config.inJSON() {
		b = u.config.appendInvoked(b, res, a)
	} else {
		b = u.appendEnd(b, r, res)
	}
	return u.out.end(r.ID, b, r.Tail)
}

// initDuration is what a REPORT line has beside the invocation's Duration: an init that
// was a phase of its own, and for this invocation.
func (r Result) initDuration() time.Duration {
	if r.within != 0 || r.joined {
		return 0
	}
	return r.Evidence.Phases.InitDuration()
}

// appendEnd is the lines that end an invocation in the text format.
func (u *unit) appendEnd(b []byte, r Request, res Result) []byte {
	if res.fatal && u.config.FreeText {
		b = res.failure.appendText(b, r.ID, time.Now())
	}
	b = fmt.Appendf(b, "END RequestId: %s\n", r.ID)
	return append(appendReport(b, res, u.config.MemoryMB), '\n')
}

// lastInit is how long the init took that failed.
func (r Result) lastInit(u *unit) time.Duration {
	if u.phase == initOwn {
		return r.Evidence.Phases.InitDuration()
	}
	return r.within
}

// appendText is how an environment ended, in the words of Lambda's older logs.
func (f *Failure) appendText(b []byte, request string, now time.Time) []byte {
	if f.Outcome == results.OutcomeTimedOut {
		return fmt.Appendf(b, "%s %s %s\n\n", now.UTC().Format("2006-01-02T15:04:05.000Z"), request, f.Message)
	}
	return fmt.Appendf(b, "RequestId: %s Error: %s\n%s\n", request, f.Message, f.Type)
}

func appendReport(b []byte, res Result, memoryMB int) []byte {
	e := res.Evidence
	b = fmt.Appendf(b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		res.RequestID, ms(e.Phases.Invoke+res.within), e.Billed/time.Millisecond, memoryMB, (e.MaxMemory+1<<20-1)>>20)
	if d := res.initDuration(); d > 0 {
		b = fmt.Appendf(b, "Init Duration: %.2f ms\t", ms(d))
	}
	if e.Phases.Restore > 0 && !res.joined {
		b = fmt.Appendf(b, "Restore Duration: %.2f ms\tBilled Restore Duration: %d ms\t", ms(e.Phases.Restore), ceilMS(res.restored)/time.Millisecond)
	}
	return append(b, status(res)...)
}

// status is empty unless the environment ended with the invocation: an error
// that the function itself reported has none.
func status(res Result) string {
	switch {
	case res.Outcome == results.OutcomeTimedOut:
		return "Status: timeout"
	case res.Outcome == results.OutcomeFailed && res.fatal:
		return res.failure.status()
	}
	return ""
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
