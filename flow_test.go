package coldstorm_test

import (
	"slices"
	"strings"
	"testing"
)

// flow is the order in which data goes from package to package, leftmost
// first. A package imports only what stands in an earlier group, or what
// sideways names with its reason.
var flow = [][]string{
	{"workloads/first"}, // a part of functions
	{"workloads", "results"},
	{"report/stats"},
	{"loadgen/storm", "loadgen/record", "loadgen/target"},
	{"loadgen/trace"}, // right of storm: its arrivals are a storm's schedule, scaled as storms are
	{"runtime/image"},
	{"runtime/launch", "runtime/api", "runtime/plane", "runtime/snapshot"},
	{"runtime/live", "runtime/sim"},
	{"runtime/invoke", "runtime/trigger"},
	{"runtime/engine"},
	{"loadgen/drive"},
	{"report/cost"},
	{"report/gate", "report/chart"},
	{"report/html", "report/export"},
	{"cmd/coldstorm"},
}

// outside lists the packages that may use a dependency which others shouldn't,
// with why.
var outside = map[string][]string{
	"github.com/tsenart/vegeta/v12": {"loadgen/drive", "loadgen/target", "report/export"},      // firing; its users' lists of targets, and results for its reports
	"gonum.org/v1/plot":             {"report/chart"},                                          // drawing
	"github.com/spf13/pflag":        {"cmd/coldstorm"},                                         // flags
	"github.com/goccy/go-yaml":      {"workloads", "report/cost"},                              // scenarios, price books
	"github.com/aws/aws-lambda-go":  {"workloads/thumbnail", "workloads/hello", "runtime/api"}, // functions alone: a binary of their own
	"golang.org/x/term":             {"cmd/coldstorm"},                                         // the live view
	"github.com/aws/aws-sdk-go-v2":  {},                                                        // tests alone: the client of the Lambda API
	"github.com/aws/smithy-go":      {},                                                        // the same

	"github.com/google/go-containerregistry": {"runtime/image"},  // registries, and the types of manifests
	"github.com/klauspost/compress":          {"runtime/image"},  // layers in zstd
	"github.com/opencontainers/runtime-spec": {"runtime/launch"}, // other runtimes' bundles
}

func TestDataFlowsOneWay(t *testing.T) {
	rank := map[string]int{}
	for i, group := range flow {
		for _, p := range group {
			rank[p] = i
		}
	}
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, "coldstorm/")
		if from == "coldstorm" {
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, "coldstorm/")
			if !ours {
				continue
			}
			if nested(from, to) {
				continue // a package's own folder
			}
			fr, known := rank[group(from)]
			if !known {
				t.Errorf("%s has no place in the flow", from)
				break
			}
			if tr, known := rank[group(to)]; !known || tr >= fr {
				t.Errorf("%s imports %s, which is not to its left", from, to)
			}
		}
	}
}

func TestDependenciesStayWhereTheyBelong(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, "coldstorm/")
		for _, imp := range p.Imports {
			for module, users := range outside {
				if (imp == module || strings.HasPrefix(imp, module+"/")) && !slices.Contains(users, group(from)) && !slices.Contains(users, from) {
					t.Errorf("%s imports %s, which belongs to %v", from, imp, users)
				}
			}
		}
	}
}

// group is the package in the flow to which a nested one belongs: the longest
// prefix that the flow names.
func group(path string) string {
	for p := path; p != ""; {
		for _, g := range flow {
			if slices.Contains(g, p) {
				return p
			}
		}
		i := strings.LastIndexByte(p, '/')
		if i < 0 {
			break
		}
		p = p[:i]
	}
	return path
}

// nested reports whether one package lies in the other's folder.
func nested(a, b string) bool {
	return strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
