package invoke

import (
	"slices"
	"strings"

	"coldstorm/runtime/live"
)

// LoggingConfig says how a function's log is written (AWS API reference: LoggingConfig).
type LoggingConfig struct {
	LogFormat           string // Text or JSON
	ApplicationLogLevel string `json:",omitempty"` // with JSON alone
	SystemLogLevel      string `json:",omitempty"`
	LogGroup            string
}

// logFormats and systemLevels are the values that LoggingConfig takes.
var (
	logFormats   = []string{live.LogFormatJSON, logText}
	systemLevels = []string{"DEBUG", "INFO", "WARN"}
)

const logText = "Text"

// defaultLogging is that of a function that says nothing.
func defaultLogging(name string) LoggingConfig {
	return LoggingConfig{LogFormat: logText, LogGroup: "/aws/lambda/" + name}
}

// take changes what in sets, and completes it.
func (l *LoggingConfig) take(in LoggingConfig) *serviceError {
	for _, v := range []struct {
		name, value string
		of          []string
	}{
		{"loggingConfig.logFormat", in.LogFormat, logFormats},
		{"loggingConfig.applicationLogLevel", in.ApplicationLogLevel, live.LogLevels},
		{"loggingConfig.systemLogLevel", in.SystemLogLevel, systemLevels},
	} {
		if v.value != "" && !slices.Contains(v.of, v.value) {
			return invalid("ValidationException", "1 validation error detected: Value '"+v.value+"' at '"+v.name+"' failed to satisfy constraint: Member must satisfy enum value set: ["+strings.Join(v.of, ", ")+"]")
		}
	}
	to := *l
	set(&to.LogFormat, given(in.LogFormat))
	set(&to.LogGroup, given(in.LogGroup))
	if to.LogFormat == logText {
		if in.ApplicationLogLevel != "" || in.SystemLogLevel != "" {
			return invalid("InvalidParameterValueException", `LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.`)
		}
		to.ApplicationLogLevel, to.SystemLogLevel = "", ""
	} else {
		for level, value := range map[*string]string{&to.ApplicationLogLevel: in.ApplicationLogLevel, &to.SystemLogLevel: in.SystemLogLevel} {
			if set(level, given(value)); *level == "" {
				*level = "INFO"
			}
		}
	}
	*l = to
	return nil
}

// given is nil for what a request leaves out.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
