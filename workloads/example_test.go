package workloads_test

import (
	"fmt"

	"coldstorm/workloads"
)

func ExampleParse() {
	s, err := workloads.Parse("shop.yaml", []byte(`
function: {workload: thumbnail, memory: 1GB}
storms:
  - {shape: ramp, from: 1/s, to: 20/s, for: 10s}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Name, s.Function.MemoryMB, s.Storms[0].Triggers(), s.Payloads[0].Name)
	// Output: shop 1024 105 small
}

func ExampleProblem() {
	_, err := workloads.Parse("shop.yaml", []byte(`
function: {workload: thumbnail}
storms:
  - shape: brust
    n: 100
`))
	fmt.Println(err)
	// Output:
	// shop.yaml:4:12: unknown shape "brust"
	//     4 |   - shape: brust
	//       |            ^^^^^
	//   hint: did you mean burst? (shapes: burst, constant, ramp, step, spike, wave, diurnal, poisson, on-off, pareto, trace, gap, gaps, ladder, sequence, loop, pause, chain, overlay, repeat, scale, zipf, cold)
}
