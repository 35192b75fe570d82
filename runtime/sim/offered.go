package sim

import (
	"fmt"
	"strings"

	"coldstorm/workloads"
)

// Offered says whether AWS offers a model for a function, and if not, why.
func Offered(m workloads.Model, f workloads.Function) (ok bool, reason string) {
	switch m {
	case workloads.ModelLambdaSnapStart:
		if f.Runtime == workloads.RuntimeImage {
			return false, "SnapStart of container images (since July 2026; secondary source) needs an AWS base image or a label that allows it, and is not modelled here"
		}
		if !snapStartRuntime(f.Runtime) {
			return false, fmt.Sprintf("SnapStart supports Java 11 and later, Python 3.12 and later and .NET 8 and later, not %s packaged as a zip (AWS Lambda documentation)", runtimeName(f))
		}
	case workloads.ModelLambdaManaged:
		return managedOffered(f)
	case workloads.ModelEKSFargate:
		if f.Architecture == "arm64" {
			return false, "EKS on Fargate has run x86_64 pods only (secondary source of 2026: re-check before you rely on it)"
		}
	}
	switch m {
	case workloads.ModelLambda, workloads.ModelLambdaProvisioned, workloads.ModelLambdaSnapStart:
		if f.MemoryMB < 128 || f.MemoryMB > 10240 {
			return false, fmt.Sprintf("Lambda functions have 128 to 10,240 MB, not %d (AWS Lambda quotas)", f.MemoryMB)
		}
	}
	return true, ""
}

func runtimeName(f workloads.Function) string {
	if f.Runtime == "" {
		return "provided.al2023"
	}
	return f.Runtime
}

// snapStartRuntime knows runtimes by AWS's names: java21, python3.13, dotnet8.
func snapStartRuntime(runtime string) bool {
	var major, minor int
	switch {
	case strings.HasPrefix(runtime, "java"):
		n, _ := fmt.Sscanf(runtime, "java%d", &major)
		return n == 1 && major >= 11
	case strings.HasPrefix(runtime, "python"):
		n, _ := fmt.Sscanf(runtime, "python%d.%d", &major, &minor)
		return n == 2 && (major > 3 || major == 3 && minor >= 12)
	case strings.HasPrefix(runtime, "dotnet"):
		n, _ := fmt.Sscanf(runtime, "dotnet%d", &major)
		return n == 1 && major >= 8
	}
	return false
}
