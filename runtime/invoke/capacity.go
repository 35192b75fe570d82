package invoke

import (
	"cmp"
	"regexp"
	"strings"

	"coldstorm/runtime/live"
	"coldstorm/workloads"
)

// CapacityProvider puts a function on Lambda Managed Instances (AWS API reference:
// CapacityProviderConfig). Of a provider nothing but its name is known here: environments
// are made on this machine as triggers find no room, and run on between invocations. What
// AWS asks beyond, 2 GB of memory at least and a published version, is not asked here.
type CapacityProvider struct {
	LambdaManagedInstancesCapacityProviderConfig *managedInstances
}

type managedInstances struct {
	CapacityProviderArn                   string
	ExecutionEnvironmentMemoryGiBPerVCpu  float64 `json:",omitempty"` // 2 to 8; without effect here
	PerExecutionEnvironmentMaxConcurrency int     `json:",omitempty"` // invocations in an environment at once
}

var providerARN = regexp.MustCompile(`^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:capacity-provider:[a-zA-Z0-9-_]+$`)

// localProvider is the provider of functions that whoever started the service named.
const localProvider = "arn:aws:lambda:" + live.Region + ":" + live.Account + ":capacity-provider:local"

// perVCPU is how many invocations an environment takes for each of its vCPUs where a request
// doesn't say (AWS documentation: "Python runtime for Lambda Managed Instances", and of
// Node.js). Of another runtime it is one in all: what is published of those was not found.
var perVCPU = map[string]int{"python": 16, "nodejs": 64}

// gbPerVCPU is the least memory of an environment for each vCPU, of which it has one at
// least; taken where a request doesn't say.
const gbPerVCPU = 2.0

// perEnvironment is how many invocations an environment of a version takes.
func (c *Configuration) perEnvironment() int {
	m := c.CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig
	if n := m.PerExecutionEnvironmentMaxConcurrency; n != 0 {
		return n
	}
	vcpus := max(1, float64(c.MemorySize)/1024/cmp.Or(m.ExecutionEnvironmentMemoryGiBPerVCpu, gbPerVCPU))
	each := perVCPU[strings.TrimRight(c.Runtime, "0123456789.x")]
	return min(max(1, int(float64(each)*vcpus)), workloads.MaxPerEnvironment)
}

// check finds what is out of its bounds.
func (p *CapacityProvider) check() *serviceError {
	m := p.LambdaManagedInstancesCapacityProviderConfig
	const name = "capacityProviderConfig.lambdaManagedInstancesCapacityProviderConfig"
	switch {
	case m == nil:
		return required(name)
	case m.CapacityProviderArn == "":
		return required(name + ".capacityProviderArn")
	case !providerARN.MatchString(m.CapacityProviderArn):
		return invalid("ValidationException", "1 validation error detected: Value '"+m.CapacityProviderArn+"' at '"+name+".capacityProviderArn' failed to satisfy constraint: Member must satisfy regular expression pattern: "+providerARN.String())
	case m.PerExecutionEnvironmentMaxConcurrency < 0 || m.PerExecutionEnvironmentMaxConcurrency > workloads.MaxPerEnvironment:
		return outOfRange(name+".perExecutionEnvironmentMaxConcurrency", m.PerExecutionEnvironmentMaxConcurrency, 1, workloads.MaxPerEnvironment)
	case m.ExecutionEnvironmentMemoryGiBPerVCpu != 0 && (m.ExecutionEnvironmentMemoryGiBPerVCpu < 2 || m.ExecutionEnvironmentMemoryGiBPerVCpu > 8):
		return badParameter("ExecutionEnvironmentMemoryGiBPerVCpu %g is not within 2 to 8", m.ExecutionEnvironmentMemoryGiBPerVCpu)
	}
	return nil
}

// managed says that a version is on Managed Instances.
func (c *Configuration) managed() bool { return c.CapacityProviderConfig != nil }

// provide puts a function on a capacity provider, and its log in JSON, the only format
// there (AWS Lambda Developer Guide: "Configuring JSON and plain text log formats").
func (c *Configuration) provide(in settings) *serviceError {
	if in.CapacityProviderConfig != nil {
		if no := in.CapacityProviderConfig.check(); no != nil {
			return no
		}
		c.CapacityProviderConfig = in.CapacityProviderConfig
	}
	switch {
	case !c.managed():
		return nil
	case c.SnapStart.ApplyOn == snapPublished:
		return badParameter("SnapStart is not supported for functions with a CapacityProviderConfig.")
	case in.LoggingConfig != nil && in.LoggingConfig.LogFormat == logText:
		return badParameter("LogFormat Text is not supported for functions with a CapacityProviderConfig: the only one is JSON.")
	}
	return c.LoggingConfig.take(LoggingConfig{LogFormat: live.LogFormatJSON})
}

// manage has environments follow the rules of Managed Instances, if the version is there:
// they never freeze (AWS documentation: "Understanding the Lambda Managed Instances
// execution environment").
func (c *Configuration) manage(to *live.Config) {
	if c.managed() {
		to.InitializationType, to.NoFreeze = live.ManagedInstances, true
		to.MaxConcurrency = c.perEnvironment()
	}
}
