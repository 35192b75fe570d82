package sim_test

import (
	"fmt"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// A burst of 300 triggers on a Lambda function with a reserved concurrency of
// 200: each trigger finds no environment, 200 start.
func ExampleRun() {
	o, err := sim.Run(sim.Config{
		Model:    workloads.ModelLambda,
		Function: workloads.Function{MemoryMB: 1769, Timeout: 30 * time.Second, Concurrency: 200},
		Profile: sim.Profile{
			Init:     []time.Duration{40 * time.Millisecond},
			Payloads: []sim.Payload{{Service: []time.Duration{100 * time.Millisecond}}},
		},
		Arrivals: make([]time.Duration, 300),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("cold:", o.Counts.Cold, "throttled:", o.Counts.Throttled)
	fmt.Println("cold above 140 ms:", o.Latency[results.StartCold].Min > 140*time.Millisecond)
	fmt.Printf("billed: %.1f GB-s\n", o.Usage.LambdaGBSeconds)
	// Output:
	// cold: 200 throttled: 100
	// cold above 140 ms: true
	// billed: 48.4 GB-s
}
