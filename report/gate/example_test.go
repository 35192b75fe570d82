package gate_test

import (
	"fmt"

	"coldstorm/report/gate"
	"coldstorm/results"
)

// Two runs without a sample say nothing, and so they are no pass.
func ExampleCompare() {
	run := results.Run{Schema: results.Schema, Status: results.StatusComplete}
	report := gate.Compare(gate.Arm{Run: run}, gate.Arm{Run: run}, gate.Limits{
		Effect: map[gate.Metric]float64{gate.ColdP90: 0.2, gate.Cost: gate.Off},
	})
	fmt.Println(report.Verdict, report.ExitCode(true))
	fmt.Println(report.Rows[0].Metric, report.Rows[0].Why)
	// Output:
	// inconclusive 3
	// cold p50 base has no cold sample; head has no cold sample
}
