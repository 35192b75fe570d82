package main

import (
	"slices"
	"testing"
)

func TestExtensionsDoNotGetWhatIsTheRuntimes(t *testing.T) {
	got := extensionEnv([]string{
		"AWS_LAMBDA_RUNTIME_API=x", "_HANDLER=h", "AWS_EXECUTION_ENV=e", "AWS_LAMBDA_LOG_GROUP_NAME=g", "AWS_LAMBDA_LOG_STREAM_NAME=s",
		"AWS_XRAY_CONTEXT_MISSING=m", "AWS_XRAY_DAEMON_ADDRESS=a", "LAMBDA_RUNTIME_DIR=d", "LAMBDA_TASK_ROOT=t", "MINE=1", "AWS_REGION=r",
	})
	if want := []string{"AWS_LAMBDA_RUNTIME_API=x", "MINE=1", "AWS_REGION=r"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
