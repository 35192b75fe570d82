package invoke

import (
	"net/http"
	"regexp"
	"strings"

	"coldstorm/runtime/live"
)

// target is what a caller named: a function, and perhaps a version or an alias
// of it.
type target struct{ name, qualifier string }

// latestVersion is the qualifier of what isn't published.
const latestVersion = "$LATEST"

var (
	nameForm      = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`) // AWS API reference: CreateFunction
	qualifierForm = regexp.MustCompile(`^(\$LATEST|[a-zA-Z0-9_-]{1,128})$`)
	numberForm    = regexp.MustCompile(`^[0-9]+$`)
)

// parseTarget takes a name, name:qualifier, account:function:name or ARN, and
// the qualifier of the query.
func parseTarget(name, qualifier string) (target, *serviceError) {
	parts := strings.Split(name, ":")
	i := 0
	switch {
	case len(parts) >= 7 && parts[0] == "arn": // arn:aws:lambda:region:account:function:name
		i = 6
	case len(parts) >= 3 && parts[1] == "function":
		i = 2
	}
	t := target{name: parts[i], qualifier: qualifier}
	if rest := parts[i+1:]; len(rest) > 0 {
		if len(rest) > 1 || qualifier != "" && qualifier != rest[0] {
			return t, invalid("InvalidParameterValueException", "The derived qualifier from the function name does not match the specified qualifier.")
		}
		t.qualifier = rest[0]
	}
	if !nameForm.MatchString(t.name) {
		return t, unfit("functionName", name, nameForm.String())
	}
	if t.qualifier != "" && !qualifierForm.MatchString(t.qualifier) {
		return t, unfit("qualifier", t.qualifier, qualifierForm.String())
	}
	return t, nil
}

// arn is the target's, with its qualifier if it has one.
func (t target) arn() string {
	if t.qualifier == "" {
		return live.ARN(t.name)
	}
	return live.ARN(t.name) + ":" + t.qualifier
}

// unfit is a value that breaks the form of its parameter.
func unfit(parameter, value, form string) *serviceError {
	return invalid("ValidationException", "1 validation error detected: Value '"+value+"' at '"+parameter+
		"' failed to satisfy constraint: Member must satisfy regular expression pattern: "+form)
}

func (t target) notFound() *serviceError {
	return &serviceError{http.StatusNotFound, "ResourceNotFoundException", map[string]string{
		"Type": "User", "Message": "Function not found: " + t.arn(),
	}}
}

// key is the qualifier under which a function's settings are kept: none and
// $LATEST are the same.
func (t target) key() string {
	if t.qualifier == latestVersion {
		return ""
	}
	return t.qualifier
}
