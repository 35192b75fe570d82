package invoke

import (
	"net/http"
	"slices"
	"strings"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// kind is what the caller of an invocation asks for.
type kind string

const (
	kindSync  kind = "RequestResponse"
	kindAsync kind = "Event"
	kindDry   kind = "DryRun"
)

// invoke answers POST /2015-03-31/functions/{name}/invocations.
func (s *Service) invoke(w http.ResponseWriter, r *http.Request, name string) {
	ride, t, req, how := s.admit(w, r, name, kindSync, kindAsync)
	switch {
	case ride == nil:
		return
	case how == kindAsync:
		ride.deployment.leave()
		s.enqueue(w, t, req)
		return
	}
	ride.serve(req, func(res live.Result) {
		write(w, res, req.Tail, ride.version)
		// The caller's now: what net/http had kept back would go when this returns,
		// after the environment was seen to.
		http.NewResponseController(w).Flush()
	})
}

// admit reads an invocation of one of some types. It answers a mistake, and a dry run;
// the ride is nil then.
func (s *Service) admit(w http.ResponseWriter, r *http.Request, name string, types ...kind) (*ride, target, live.Request, kind) {
	how := kindSync
	if k := r.Header.Get("X-Amz-Invocation-Type"); k != "" {
		how = kind(k)
	}
	t, no := parseTarget(name, qualifierOf(r))
	if no == nil && how != kindDry && !slices.Contains(types, how) {
		no = badParameter("Invalid invocation type: %s", how)
	}
	var on *ride
	if no == nil {
		on, no = s.find(t)
	}
	var req live.Request
	if no == nil && how != kindDry {
		if req, no = request(r); no != nil {
			on.deployment.leave()
		}
	}
	switch {
	case no != nil:
		no.write(w)
		return nil, t, req, how
	case how == kindDry:
		on.deployment.leave()
		w.WriteHeader(http.StatusNoContent)
		return nil, t, req, how
	}
	return on, t, req, how
}

func qualifierOf(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return r.URL.Query().Get("Qualifier")
}

// asyncName is the function that the path of the old InvokeAsync names.
func asyncName(path string) (string, bool) {
	return between(path, "/2014-11-13/functions/", "/invoke-async")
}

// invokeAsync answers POST /2014-11-13/functions/{name}/invoke-async/, which AWS
// deprecates in favour of invocation type Event.
func (s *Service) invokeAsync(w http.ResponseWriter, r *http.Request, name string) {
	r.Header.Set("X-Amz-Invocation-Type", string(kindAsync))
	s.invoke(w, r, name)
}

// between is the one segment of a path between a prefix and a suffix, with or
// without a slash at the end.
func between(path, prefix, suffix string) (string, bool) {
	rest, ok := strings.CutPrefix(path, prefix)
	if !ok {
		return "", false
	}
	name, ok := strings.CutSuffix(strings.TrimSuffix(rest, "/"), suffix)
	return name, ok && name != "" && !strings.Contains(name, "/")
}

// errorCode is what kind of error a result is, in a stream's last event.
func errorCode(res live.Result) string {
	if res.Outcome == results.OutcomeServed {
		return ""
	}
	if res.ErrorType == "" {
		return unhandled
	}
	return res.ErrorType
}

// unhandled is the value of X-Amz-Function-Error: AWS says Handled only of
// errors of runtimes that are gone.
const unhandled = "Unhandled"
