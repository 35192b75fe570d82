package invoke

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// client is AWS's own, pointed at a server of ours.
func client(server *httptest.Server) *lambda.Client {
	own := *server.Client()
	own.Transport = whole{own.Transport}
	return lambda.New(lambda.Options{
		BaseEndpoint: aws.String(server.URL), Region: "us-east-1", HTTPClient: &own,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
		RetryMaxAttempts: 1,
	})
}

// whole sends a request's body from memory. The SDK closes its own as soon as a streamed
// answer begins, and one that comes this fast can find net/http looking for the body's
// end: it then closes the connection.
type whole struct{ http.RoundTripper }

func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return w.RoundTripper.RoundTrip(r)
}

// got fails the test on an error.
func got[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refused wants an error of the API.
func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// made creates a function with the SDK and waits for it.
func made(t *testing.T, c *lambda.Client, name string) *string {
	t.Helper()
	ctx := t.Context()
	out := got(c.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/r"), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &types.FunctionCode{ZipFile: zipped(t, name)}, MemorySize: aws.Int32(256), Timeout: aws.Int32(7),
		Environment: &types.Environment{Variables: map[string]string{"K": "v"}}, Tags: map[string]string{"a": "b"},
	}))(t)
	same(t, "state of what is created", out.State, types.StatePending)
	if err := lambda.NewFunctionActiveV2Waiter(c).Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return &name
}

func TestTheLifeOfAFunction(t *testing.T) {
	shop := &workshop{}
	_, server := account(t, shop, Config{})
	c, ctx := client(server), t.Context()
	f := made(t, c, "f")

	g := got(c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: f}))(t)
	same(t, "configuration", words(*g.Configuration.MemorySize, *g.Configuration.Timeout, g.Configuration.Environment.Variables, g.Tags, g.Configuration.State, g.Configuration.LastUpdateStatus),
		"256 7 map[K:v] map[a:b] Active Successful")
	in := got(c.Invoke(ctx, &lambda.InvokeInput{FunctionName: f, Payload: []byte(`{"a":1}`), LogType: types.LogTypeTail}))(t)
	log, _ := base64.StdEncoding.DecodeString(*in.LogResult)
	same(t, "invocation", words(in.StatusCode, string(in.Payload), *in.ExecutedVersion, in.FunctionError, string(log)), "200 {\"a\":1} $LATEST <nil> START\nEND")
	same(t, "variables of the environment", shop.deployed[0].config.Env["K"], "v")

	_, err := c.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: f, Role: aws.String("r"), Runtime: types.RuntimeProvidedal2, Handler: aws.String("x"), Code: &types.FunctionCode{ZipFile: zipped(t, "")}})
	refused(t, "the same name again", err, "ResourceConflictException")

	u := got(c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f, MemorySize: aws.Int32(512), RevisionId: g.Configuration.RevisionId}))(t)
	same(t, "memory and variables after an update", words(*u.MemorySize, u.Environment.Variables, u.LastUpdateStatus), "512 map[K:v] InProgress")
	same(t, "logging of what says nothing of it", words(u.LoggingConfig.LogFormat, *u.LoggingConfig.LogGroup), "Text /aws/lambda/"+*f)
	if err := lambda.NewFunctionUpdatedV2Waiter(c).Wait(ctx, &lambda.GetFunctionInput{FunctionName: f}, time.Minute); err != nil {
		t.Fatal(err)
	}
	_, err = c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f, LoggingConfig: &types.LoggingConfig{SystemLogLevel: types.SystemLogLevelWarn}})
	refused(t, "a level of a log of text", err, "InvalidParameterValueException")
	l := got(c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f, LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelError}}))(t)
	same(t, "logging in JSON", words(l.LoggingConfig.LogFormat, l.LoggingConfig.ApplicationLogLevel, l.LoggingConfig.SystemLogLevel), "JSON ERROR INFO")
	if err := lambda.NewFunctionUpdatedV2Waiter(c).Wait(ctx, &lambda.GetFunctionInput{FunctionName: f}, time.Minute); err != nil {
		t.Fatal(err)
	}
	told := shop.deployed[len(shop.deployed)-1].config
	same(t, "what environments are told of it", words(told.LogFormat, told.LogLevel, told.SystemLogLevel), "JSON ERROR INFO")
	_, err = c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f, RevisionId: g.Configuration.RevisionId})
	refused(t, "a stale revision", err, "PreconditionFailedException")
	uc := got(c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: f, ZipFile: zipped(t, "new")}))(t)
	if err := lambda.NewFunctionUpdatedV2Waiter(c).Wait(ctx, &lambda.GetFunctionInput{FunctionName: f}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if *uc.CodeSha256 == *g.Configuration.CodeSha256 {
		t.Error("new code has the old hash")
	}
	_, err = c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: f, ZipFile: []byte("no zip")})
	refused(t, "code that is no zip", err, "InvalidParameterValueException")
	same(t, "code after a failed update", *got(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: f}))(t).CodeSha256, *uc.CodeSha256)

	got(c.TagResource(ctx, &lambda.TagResourceInput{Resource: uc.FunctionArn, Tags: map[string]string{"c": "d"}}))(t)
	got(c.UntagResource(ctx, &lambda.UntagResourceInput{Resource: uc.FunctionArn, TagKeys: []string{"a"}}))(t)
	same(t, "tags", got(c.ListTags(ctx, &lambda.ListTagsInput{Resource: uc.FunctionArn}))(t).Tags, map[string]string{"c": "d"})

	got(c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: f}))(t)
	_, err = c.Invoke(ctx, &lambda.InvokeInput{FunctionName: f})
	refused(t, "what is deleted", err, "ResourceNotFoundException")
}

func TestListsComeInPages(t *testing.T) {
	s, server := account(t, &workshop{}, Config{})
	c, ctx := client(server), t.Context()
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprintf("f%d", i))
		create(t, s, want[i])
	}
	var names []string
	pages := lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{MaxItems: aws.Int32(3)})
	n := 0
	for ; pages.HasMorePages(); n++ {
		for _, f := range got(pages.NextPage(ctx))(t).Functions {
			names = append(names, *f.FunctionName)
		}
	}
	same(t, "names", names, want)
	same(t, "pages", n, 3)
}

func TestVersionsAndAliases(t *testing.T) {
	s, server := account(t, &workshop{behave: func(c live.Config, r live.Request) live.Result {
		return live.Result{Payload: fmt.Appendf(nil, "%q", c.Version+" "+r.ARN)}
	}}, Config{})
	c, ctx := client(server), t.Context()
	f := made(t, c, "f")
	for i := 1; i <= 2; i++ {
		v := got(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: f, Description: aws.String("the first")}))(t)
		same(t, "version", *v.Version, i)
		if err := lambda.NewPublishedVersionActiveWaiter(c).Wait(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: f, Qualifier: v.Version}, time.Minute); err != nil {
			t.Fatal(err)
		}
		again := got(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: f}))(t)
		same(t, "version of what has not changed", *again.Version, i)
		got(c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: f, ZipFile: zipped(t, fmt.Sprint(i))}))(t)
	}
	var numbers []string
	for _, v := range got(c.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: f}))(t).Versions {
		numbers = append(numbers, *v.Version)
	}
	same(t, "versions", numbers, "[$LATEST 1 2]")

	a := got(c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: f, Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	invoke := func(qualifier string) string {
		out := got(c.Invoke(ctx, &lambda.InvokeInput{FunctionName: f, Qualifier: &qualifier}))(t)
		return *out.ExecutedVersion + " " + string(out.Payload)
	}
	same(t, "alias", invoke("live"), `1 "1 `+*a.AliasArn+`"`)
	same(t, "version", invoke("2"), `2 "2 arn:aws:lambda:us-east-1:123456789012:function:f:2"`)
	_, err := c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: f, Qualifier: aws.String("1")})
	refused(t, "a version in use", err, "ResourceConflictException")

	got(c.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: f, Name: aws.String("live"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.25}}}))(t)
	x := 0.0
	s.random = func() float64 { x += 0.1; return x - 0.1 }
	count := map[string]int{}
	for range 10 {
		v, _, _ := strings.Cut(invoke("live"), " ")
		count[v]++
	}
	same(t, "invocations by weight", count, map[string]int{"1": 7, "2": 3}) // 0, 0.1 and 0.2 are below 0.25

	for what, in := range map[string]*lambda.CreateAliasInput{
		"ResourceNotFoundException":      {Name: aws.String("x"), FunctionVersion: aws.String("9")},
		"ResourceConflictException":      {Name: aws.String("live"), FunctionVersion: aws.String("1")},
		"ValidationException":            {Name: aws.String("12"), FunctionVersion: aws.String("1")},
		"InvalidParameterValueException": {Name: aws.String("x"), FunctionVersion: aws.String("$LATEST"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.25}}},
	} {
		in.FunctionName = f
		_, err := c.CreateAlias(ctx, in)
		refused(t, "alias", err, what)
	}
	same(t, "aliases", len(got(c.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: f}))(t).Aliases), 1)
	got(c.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: f, Name: aws.String("live")}))(t)
	_, err = c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: f, Name: aws.String("live")})
	refused(t, "a deleted alias", err, "ResourceNotFoundException")
	got(c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: f, Qualifier: aws.String("1")}))(t)
	_, err = c.Invoke(ctx, &lambda.InvokeInput{FunctionName: f, Qualifier: aws.String("1")})
	refused(t, "a deleted version", err, "ResourceNotFoundException")
}

func TestConcurrencyByTheSDK(t *testing.T) {
	_, server := account(t, &workshop{}, Config{})
	c, ctx := client(server), t.Context()
	f := made(t, c, "f")
	same(t, "concurrency of none", got(c.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: f}))(t).ReservedConcurrentExecutions, nil)
	got(c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: f, ReservedConcurrentExecutions: aws.Int32(0)}))(t)
	_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: f})
	var many *types.TooManyRequestsException
	if !errors.As(err, &many) || many.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded || *many.Message != "Rate Exceeded." {
		t.Errorf("got %v", err)
	}
	_, err = c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: f, ReservedConcurrentExecutions: aws.Int32(901)})
	refused(t, "more than may be reserved", err, "InvalidParameterValueException")
	got(c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: f, ReservedConcurrentExecutions: aws.Int32(400)}))(t)
	settings := got(c.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{}))(t)
	same(t, "account", words(settings.AccountLimit.ConcurrentExecutions, *settings.AccountLimit.UnreservedConcurrentExecutions, settings.AccountUsage.FunctionCount), "1000 600 1")

	_, err = c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: f, Qualifier: aws.String("$LATEST"), ProvisionedConcurrentExecutions: aws.Int32(2)})
	refused(t, "provisioned concurrency of $LATEST", err, "InvalidParameterValueException")
	v := got(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: f}))(t)
	_, err = c.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: f, Qualifier: v.Version})
	refused(t, "provisioned concurrency of none", err, "ProvisionedConcurrencyConfigNotFoundException")
	_, err = c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: f, Qualifier: v.Version, ProvisionedConcurrentExecutions: aws.Int32(401)})
	refused(t, "more than is reserved", err, "InvalidParameterValueException")
	p := got(c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: f, Qualifier: v.Version, ProvisionedConcurrentExecutions: aws.Int32(2)}))(t)
	same(t, "status", p.Status, types.ProvisionedConcurrencyStatusEnumInProgress)
	g := got(c.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: f, Qualifier: v.Version}))(t)
	same(t, "ready", words(g.Status, *g.AvailableProvisionedConcurrentExecutions), "READY 2")
	same(t, "list", len(got(c.ListProvisionedConcurrencyConfigs(ctx, &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: f}))(t).ProvisionedConcurrencyConfigs), 1)
	_, err = c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: f, ReservedConcurrentExecutions: aws.Int32(1)})
	refused(t, "less than is provisioned", err, "InvalidParameterValueException")
	got(c.DeleteProvisionedConcurrencyConfig(ctx, &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: f, Qualifier: v.Version}))(t)
	got(c.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: f}))(t)
}

func TestTheRestByTheSDK(t *testing.T) {
	_, server := account(t, &workshop{}, Config{})
	c, ctx := client(server), t.Context()
	f := made(t, c, "f")

	got(c.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: f, MaximumRetryAttempts: aws.Int32(1), MaximumEventAgeInSeconds: aws.Int32(60)}))(t)
	got(c.UpdateFunctionEventInvokeConfig(ctx, &lambda.UpdateFunctionEventInvokeConfigInput{FunctionName: f, DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:x")}}}))(t)
	e := got(c.GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: f}))(t)
	same(t, "event invoke configuration", words(*e.MaximumRetryAttempts, *e.MaximumEventAgeInSeconds, *e.DestinationConfig.OnFailure.Destination), "1 60 arn:x")
	same(t, "list", len(got(c.ListFunctionEventInvokeConfigs(ctx, &lambda.ListFunctionEventInvokeConfigsInput{FunctionName: f}))(t).FunctionEventInvokeConfigs), 1)
	got(c.DeleteFunctionEventInvokeConfig(ctx, &lambda.DeleteFunctionEventInvokeConfigInput{FunctionName: f}))(t)
	_, err := c.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: f, MaximumRetryAttempts: aws.Int32(3)})
	refused(t, "three retries", err, "ValidationException")

	_, err = c.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: f})
	refused(t, "a policy of none", err, "ResourceNotFoundException")
	permit := &lambda.AddPermissionInput{FunctionName: f, StatementId: aws.String("s3"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::b")}
	got(c.AddPermission(ctx, permit))(t)
	_, err = c.AddPermission(ctx, permit)
	refused(t, "the same statement", err, "ResourceConflictException")
	if p := *got(c.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: f}))(t).Policy; !strings.Contains(p, `"Principal":{"Service":"s3.amazonaws.com"}`) {
		t.Error(p)
	}
	got(c.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: f, StatementId: aws.String("s3")}))(t)

	m := got(c.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: f, EventSourceArn: aws.String("arn:aws:sqs:us-east-1:123456789012:q"), ScalingConfig: &types.ScalingConfig{MaximumConcurrency: aws.Int32(7)}}))(t)
	same(t, "mapping", words(*m.State, *m.BatchSize), "Creating 10")
	got(c.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: m.UUID, BatchSize: aws.Int32(5), Enabled: aws.Bool(false)}))(t)
	mg := got(c.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: m.UUID}))(t)
	same(t, "changed mapping", words(*mg.State, *mg.BatchSize, *mg.ScalingConfig.MaximumConcurrency), "Disabled 5 7")
	same(t, "list", len(got(c.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: f}))(t).EventSourceMappings), 1)
	got(c.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: m.UUID}))(t)
	_, err = c.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: m.UUID})
	refused(t, "a deleted mapping", err, "ResourceNotFoundException")

	u := got(c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: f, AuthType: types.FunctionUrlAuthTypeNone}))(t)
	got(c.UpdateFunctionUrlConfig(ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: f, InvokeMode: types.InvokeModeResponseStream}))(t)
	ug := got(c.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: f}))(t)
	same(t, "function URL", words(*ug.FunctionUrl == *u.FunctionUrl, ug.InvokeMode), "true RESPONSE_STREAM")
	same(t, "list", len(got(c.ListFunctionUrlConfigs(ctx, &lambda.ListFunctionUrlConfigsInput{FunctionName: f}))(t).FunctionUrlConfigs), 1)
	got(c.DeleteFunctionUrlConfig(ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: f}))(t)

	_, err = c.ListLayers(ctx, &lambda.ListLayersInput{})
	refused(t, "what is not built", err, "UnknownOperationException")
}

func TestAnImageIsPendingUntilItIsThere(t *testing.T) {
	shop := &workshop{slow: make(chan struct{})}
	_, server := account(t, shop, Config{})
	c, ctx := client(server), t.Context()
	for _, name := range []string{"there", "missing"} {
		got(c.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: &name, Role: aws.String("r"), PackageType: types.PackageTypeImage, Code: &types.FunctionCode{ImageUri: &name},
			ImageConfig: &types.ImageConfig{Command: []string{"other"}},
		}))(t)
		_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name})
		refused(t, "what is pending", err, "ResourceConflictException")
	}
	close(shop.slow)
	if err := lambda.NewFunctionActiveV2Waiter(c).Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("there")}, time.Minute); err != nil {
		t.Fatal(err)
	}
	got(c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("there")}))(t)
	if err := lambda.NewFunctionActiveV2Waiter(c).Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("missing")}, time.Minute); err == nil {
		t.Error("an image that isn't there became active")
	}
	same(t, "why", *got(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("missing")}))(t).StateReason, "no such image")
}

func TestAStreamByTheSDK(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789"), 20_000)
	_, server := account(t, &workshop{behave: func(_ live.Config, r live.Request) live.Result {
		if string(r.Payload) == `"fail"` {
			return live.Result{Outcome: results.OutcomeFailed, ErrorType: "Function.Odd", Payload: []byte(`{"errorType":"Function.Odd"}`)}
		}
		r.Stream.Begin("text/plain")
		r.Stream.Write([]byte("first"))
		r.Stream.Write(big)
		return live.Result{Streamed: true}
	}}, Config{})
	c, ctx := client(server), t.Context()
	f := made(t, c, "f")
	for event, want := range map[string]string{`"ok"`: "", `"fail"`: "Function.Odd"} {
		out := got(c.InvokeWithResponseStream(ctx, &lambda.InvokeWithResponseStreamInput{FunctionName: f, Payload: []byte(event), LogType: types.LogTypeTail}))(t)
		same(t, "version", *out.ExecutedVersion, "$LATEST")
		var body []byte
		var end *types.InvokeWithResponseStreamCompleteEvent
		for e := range out.GetStream().Events() {
			switch e := e.(type) {
			case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
				body = append(body, e.Value.Payload...)
			case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
				end = &e.Value
			}
		}
		if err := out.GetStream().Close(); err != nil {
			t.Fatal(err)
		}
		if end == nil || aws.ToString(end.ErrorCode) != want || aws.ToString(end.LogResult) == "" {
			t.Errorf("%s: ended with %+v", event, end)
		}
		if want == "" && string(body) != "first"+string(big) {
			t.Errorf("%d bytes came", len(body))
		}
	}
}
