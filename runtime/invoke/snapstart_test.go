package invoke

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// snapped creates function f with SnapStart, and publishes its first version.
func snapped(t *testing.T, w *workshop) (*Service, *lambda.Client, *lambda.PublishVersionOutput) {
	t.Helper()
	s, server := account(t, w, Config{})
	c := client(server)
	create(t, s, "f")
	update := got(c.UpdateFunctionConfiguration(context.Background(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), SnapStart: &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions},
	}))(t)
	same(t, "of $LATEST", words(update.SnapStart.ApplyOn, update.SnapStart.OptimizationStatus), "PublishedVersions Off")
	return s, c, got(c.PublishVersion(context.Background(), &lambda.PublishVersionInput{FunctionName: aws.String("f")}))(t)
}

// firstVersion names version 1 of f.
var firstVersion = &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")}

func TestPublishedVersionWithSnapStartIsPendingUntilItsSnapshotIsTaken(t *testing.T) {
	w := &workshop{slow: make(chan struct{})}
	s, c, published := snapped(t, w)
	ctx := context.Background()
	same(t, "published", words(*published.Version, published.State), "1 Pending")
	invoke := &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")}
	_, err := c.Invoke(ctx, invoke)
	refused(t, "invocation before", err, "SnapStartNotReadyException")
	if code, kind, _ := talk(t, s, "POST", "/2015-03-31/functions/f:1/invocations", ""); code != 409 || kind != "SnapStartNotReadyException" {
		t.Errorf("invocation before: %d %s", code, kind)
	}
	again := got(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("f")}))(t)
	same(t, "published again", words(*again.Version, again.State), "1 Pending")
	close(w.slow)
	if err := lambda.NewPublishedVersionActiveWaiter(c, quick).Wait(ctx, firstVersion, time.Minute); err != nil {
		t.Fatal(err)
	}
	v := got(c.GetFunctionConfiguration(ctx, firstVersion))(t)
	same(t, "active", words(v.State, v.SnapStart.OptimizationStatus), "Active On")
	got(c.Invoke(ctx, invoke))(t)
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.deployed[len(w.deployed)-1]
	same(t, "deployed", words(last.config.SnapStart, last.config.Version, last.image.Argv), "true 1 [restorer]")
	for _, p := range w.deployed[:len(w.deployed)-1] {
		same(t, "restored of "+p.config.Version, p.config.SnapStart, false)
	}
}

func TestVersionThatCannotBeRestoredIsFailedWithTheReason(t *testing.T) {
	_, c, _ := snapped(t, &workshop{unfit: errors.New("it has two processes")})
	ctx := context.Background()
	if err := lambda.NewPublishedVersionActiveWaiter(c, quick).Wait(ctx, firstVersion, time.Minute); err == nil || strings.Contains(err.Error(), "exceeded") {
		t.Errorf("waiter: %v, want that it failed", err)
	}
	v := got(c.GetFunctionConfiguration(ctx, firstVersion))(t)
	same(t, "version", words(v.State, *v.StateReason, v.StateReasonCode, v.SnapStart.OptimizationStatus), "Failed it has two processes FunctionError Off")
	_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")})
	refused(t, "invocation", err, "ResourceConflictException")
	got(c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f")}))(t) // $LATEST is as it was
}

// facts/aws.md 2.2 and 3.2.
func TestARestoreOverItsLimitIsSnapStartTimeoutException(t *testing.T) {
	s, _ := account(t, &workshop{behave: func(live.Config, live.Request) live.Result {
		return live.Result{Outcome: results.OutcomeTimedOut, Reason: "Sandbox.Timedout", RestoreTimedOut: true, Payload: []byte("{}")}
	}}, Config{})
	create(t, s, "f")
	for _, path := range []string{"/2015-03-31/functions/f/invocations", "/2021-11-15/functions/f/response-streaming-invocations"} {
		r := ask(s, "POST", path, "")
		want := `{"Message":"Lambda couldn't restore the snapshot within the timeout limit.","Type":"User"}`
		if got := text(t, r); r.StatusCode != 408 || r.Header.Get("X-Amzn-Errortype") != "SnapStartTimeoutException" || r.Header.Get("X-Amz-Function-Error") != "" || got != want || r.Header.Get(OutcomeHeader) != "timed-out" {
			t.Errorf("%s: %v %s", path, r, got)
		}
	}
}

func TestSnapStartIsNotForProvisionedConcurrencyNorForOtherValues(t *testing.T) {
	_, c, _ := snapped(t, &workshop{})
	ctx := context.Background()
	_, err := c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{
		FunctionName: aws.String("f"), Qualifier: aws.String("1"), ProvisionedConcurrentExecutions: aws.Int32(1),
	})
	refused(t, "provisioned", err, "InvalidParameterValueException")
	_, err = c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), SnapStart: &types.SnapStart{ApplyOn: "Always"},
	})
	refused(t, "value", err, "ValidationException")
}

// quick asks often.
func quick(o *lambda.PublishedVersionActiveWaiterOptions) {
	o.MinDelay, o.MaxDelay = time.Millisecond, 10*time.Millisecond
}
