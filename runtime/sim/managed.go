package sim

import (
	"fmt"
	"math"
	"strings"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
	"coldstorm/workloads"
)

// Lambda Managed Instances (AWS Lambda documentation, "Lambda Managed Instances").
const (
	managedLeastGB = 2.0  // of an environment, with at least 1 vCPU
	managedMostGB  = 32.0 // botocore's model of CreateFunction, August 2026
	managedPerVCPU = 2.0  // GB a vCPU, the smallest of the ratios that a function may ask for
)

// managedSize is an environment's: the function's memory in whole GB, and half as
// many vCPUs.
func managedSize(memoryMB int) size {
	gb := max(managedLeastGB, math.Ceil(float64(memoryMB)/1024-1e-9))
	return size{vcpu: max(1, gb/managedPerVCPU), gb: gb}
}

// managed composes Lambda Managed Instances: environments that serve several
// triggers at once, on instances.
func managed(c Config) (*model, error) {
	s := managedSize(c.Function.MemoryMB)
	in, err := managedInstance(c, s)
	if err != nil {
		return nil, err
	}
	mo := c.service(s.vcpu)
	mo.billing.balancer, mo.timing.stop = false, 0
	mo.timing.gateway = int64(c.Function.Timeout) // it is answered, and the handler goes on
	mo.timing.slots = min(mo.timing.slots, max(1, int(float64(plane.ManagedPerVCPU(c.Function.Runtime))*s.vcpu)))
	mo.units = max(mo.units, plane.ManagedLeast)
	mo.billing.instance, mo.billing.managed = &in, true
	mo.timing.before, mo.timing.node = []part{{life.Placed, lambdaPlatform}}, ec2Boot
	rules := mo.rules(c)
	rules.PerNode = in.holds(s)
	mo.made = rules
	mo.plane = func() plane.Plane {
		r := rules
		r.Scaler = &plane.Managed{}
		return plane.NewManaged(r)
	}
	mo.words = fmt.Sprintf("environment of %v, %s at once, %d on a %s; %d..%d environments, throttled beyond",
		s, requests(mo.timing.slots), rules.PerNode, in.name, rules.Min, rules.Max)
	return mo, nil
}

// managedInstance is the type that the scenario names, or an xlarge of the compute
// family, or the smallest that holds an environment.
func managedInstance(c Config, s size) (instance, error) {
	arch := architecture(c.Function)
	if c.Instance != "" {
		return instanceFor(c.Instance, arch, s)
	}
	name := "c7i.xlarge"
	if arch == "arm64" {
		name = "c7g.xlarge"
	}
	if in, err := instanceFor(name, arch, s); err == nil {
		return in, nil
	}
	return instanceFor("", arch, s)
}

// managedOffered says whether Managed Instances run a function.
func managedOffered(f workloads.Function) (bool, string) {
	if f.MemoryMB > managedMostGB*1024 {
		return false, fmt.Sprintf("environments on Lambda Managed Instances have up to 32,768 MB, not %d (AWS SDK model of CreateFunction)", f.MemoryMB)
	}
	if f.Timeout > 90*time.Minute {
		return false, fmt.Sprintf("functions on Lambda Managed Instances time out after at most 5,400 s, not %v (AWS SDK model of CreateFunction)", f.Timeout)
	}
	if !managedRuntime(f.Runtime) {
		return false, fmt.Sprintf("Lambda Managed Instances support Java 21 and later, Python 3.13 and later, Node.js 22 and later, .NET 8 and later and provided.al2023, not %s (AWS Lambda documentation)", runtimeName(f))
	}
	return true, ""
}

// managedRuntime knows runtimes by AWS's names. Of provided.al2023 AWS names Rust
// alone; aws-lambda-go serves several requests at once too.
func managedRuntime(runtime string) bool {
	if runtime == "" || runtime == workloads.RuntimeImage || strings.HasPrefix(runtime, "provided.al2023") {
		return true
	}
	for _, r := range []struct {
		format       string
		major, minor int
	}{{"java%d", 21, 0}, {"nodejs%d.x", 22, 0}, {"dotnet%d", 8, 0}, {"python%d.%d", 3, 13}} {
		var major, minor int
		n, _ := fmt.Sscanf(runtime, r.format, &major, &minor)
		if n > 0 && (major > r.major || major == r.major && (n == 1 && r.minor == 0 || n == 2 && minor >= r.minor)) {
			return true
		}
	}
	return false
}
