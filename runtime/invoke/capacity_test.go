package invoke

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"coldstorm/runtime/image"
)

func provider(arn string, n int32) *types.CapacityProviderConfig {
	c := &types.LambdaManagedInstancesCapacityProviderConfig{CapacityProviderArn: aws.String(arn)}
	if n != 0 {
		c.PerExecutionEnvironmentMaxConcurrency = aws.Int32(n)
	}
	return &types.CapacityProviderConfig{LambdaManagedInstancesCapacityProviderConfig: c}
}

const anyProvider = "arn:aws:lambda:us-east-1:123456789012:capacity-provider:mine"

func TestConcurrencyOfAnEnvironmentByTheSDK(t *testing.T) {
	w := &workshop{}
	_, server := account(t, w, Config{})
	c, ctx, f := client(server), context.Background(), aws.String("f")
	deployed := func() string {
		w.mu.Lock()
		defer w.mu.Unlock()
		l := w.deployed[len(w.deployed)-1].config
		return words(l.InitializationType, l.MaxConcurrency, l.NoFreeze, l.LogFormat)
	}
	create := &lambda.CreateFunctionInput{
		FunctionName: f, Role: aws.String("arn:aws:iam::123456789012:role/r"), Handler: aws.String("bootstrap"), Runtime: types.RuntimeProvidedal2023,
		Code: &types.FunctionCode{ZipFile: zipped(t, "x")}, CapacityProviderConfig: provider(anyProvider, 16),
	}
	out := got(c.CreateFunction(ctx, create))(t)
	m := out.CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig
	same(t, "created", words(*m.CapacityProviderArn, *m.PerExecutionEnvironmentMaxConcurrency, out.LoggingConfig.LogFormat), words(anyProvider, 16, "JSON"))
	same(t, "deployed", deployed(), "lambda-managed-instances 16 true JSON")
	got(c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f, CapacityProviderConfig: provider(anyProvider, 3)}))(t)
	same(t, "deployed after an update", deployed(), "lambda-managed-instances 3 true JSON")
	got(c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f, MemorySize: aws.Int32(512)}))(t)
	same(t, "deployed after another", deployed(), "lambda-managed-instances 3 true JSON")
	g := got(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: f}))(t)
	same(t, "shown", *g.CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig.PerExecutionEnvironmentMaxConcurrency, 3)
	got(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: f}))(t)
	same(t, "published", deployed(), "lambda-managed-instances 3 true JSON")

	_, err := c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: f, Qualifier: aws.String("1"), ProvisionedConcurrentExecutions: aws.Int32(1)})
	refused(t, "provisioned", err, "InvalidParameterValueException")
	for what, in := range map[string]*lambda.UpdateFunctionConfigurationInput{
		"SnapStart": {SnapStart: &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}},
		"text":      {LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatText}},
	} {
		in.FunctionName = f
		_, err := c.UpdateFunctionConfiguration(ctx, in)
		refused(t, what, err, "InvalidParameterValueException")
	}
	for what, bad := range map[string]*types.CapacityProviderConfig{
		"too many": provider(anyProvider, 1601), "negative": provider(anyProvider, -1), "a function's ARN": provider("arn:aws:lambda:us-east-1:123456789012:function:f", 2),
	} {
		_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f, CapacityProviderConfig: bad})
		refused(t, what, err, "ValidationException")
	}
	same(t, "deployed after what was refused", deployed(), "lambda-managed-instances 3 true JSON")
}

func TestAProviderThatSaysNoNumberTakesTheRuntimesOwn(t *testing.T) {
	for _, tt := range []struct {
		runtime string
		memory  int
		ratio   float64
		want    int
	}{
		{"python3.13", 128, 0, 16},
		{"python3.14", 4096, 0, 32},
		{"nodejs22.x", 8192, 4, 128},
		{"nodejs24.x", 1 << 20, 2, 1600},
		{"provided.al2023", 4096, 0, 1},
		{"", 4096, 0, 1},
	} {
		c := Configuration{Runtime: tt.runtime, MemorySize: tt.memory, CapacityProviderConfig: &CapacityProvider{&managedInstances{ExecutionEnvironmentMemoryGiBPerVCpu: tt.ratio}}}
		if got := c.perEnvironment(); got != tt.want {
			t.Errorf("%s of %d MB: %d, want %d", tt.runtime, tt.memory, got, tt.want)
		}
	}
}

func TestANamedFunctionMayTakeSeveralAtOnce(t *testing.T) {
	w := &workshop{}
	s, _ := account(t, w, Config{})
	if err := s.Add("f", image.Image{}, 0, 0, 5, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Add("g", image.Image{}, 0, 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	same(t, "told", words(w.deployed[0].config.MaxConcurrency, w.deployed[0].config.InitializationType, w.deployed[1].config.MaxConcurrency, w.deployed[1].config.InitializationType), words(5, "lambda-managed-instances", 0, ""))
	if err := s.Add("h", image.Image{}, 0, 0, 1601, nil); err == nil {
		t.Error("1,601 were taken")
	}
}
