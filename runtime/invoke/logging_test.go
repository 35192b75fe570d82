package invoke

import (
	"strings"
	"testing"
)

func TestLoggingConfigIsCompleted(t *testing.T) {
	for _, tt := range []struct {
		had, in, want LoggingConfig
	}{
		{defaultLogging("f"), LoggingConfig{}, LoggingConfig{"Text", "", "", "/aws/lambda/f"}},
		{defaultLogging("f"), LoggingConfig{LogFormat: "JSON"}, LoggingConfig{"JSON", "INFO", "INFO", "/aws/lambda/f"}},
		{defaultLogging("f"), LoggingConfig{LogFormat: "JSON", SystemLogLevel: "WARN", LogGroup: "/g"}, LoggingConfig{"JSON", "INFO", "WARN", "/g"}},
		{LoggingConfig{"JSON", "ERROR", "WARN", "/g"}, LoggingConfig{ApplicationLogLevel: "TRACE"}, LoggingConfig{"JSON", "TRACE", "WARN", "/g"}},
		{LoggingConfig{"JSON", "ERROR", "WARN", "/g"}, LoggingConfig{LogFormat: "Text"}, LoggingConfig{"Text", "", "", "/g"}},
	} {
		got := tt.had
		if no := got.take(tt.in); no != nil || got != tt.want {
			t.Errorf("%+v and %+v: %+v, %v", tt.had, tt.in, got, no)
		}
	}
}

func TestLoggingConfigIsRefusedAsLambdaDoes(t *testing.T) {
	for want, in := range map[string]LoggingConfig{
		"loggingConfig.logFormat":             {LogFormat: "json"},
		"loggingConfig.applicationLogLevel":   {LogFormat: "JSON", ApplicationLogLevel: "LOUD"},
		"loggingConfig.systemLogLevel":        {LogFormat: "JSON", SystemLogLevel: "ERROR"},
		"LogLevel is not supported when":      {SystemLogLevel: "WARN"},
		"or change the LogFormat to \"JSON\"": {LogFormat: "Text", ApplicationLogLevel: "WARN"},
	} {
		had := defaultLogging("f")
		if no := had.take(in); no == nil || !strings.Contains(no.Error(), want) {
			t.Errorf("%+v: %v, want %s", in, no, want)
		}
		if had != defaultLogging("f") {
			t.Errorf("%+v changed it to %+v", in, had)
		}
	}
}
