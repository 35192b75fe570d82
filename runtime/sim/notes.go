package sim

import "coldstorm/workloads"

// Notes lists, for the report, what a model leaves out and what it assumes.
func Notes(m workloads.Model) []string {
	notes := []string{
		"Latencies hold no network time between client and endpoint, and none of the endpoint's own (API Gateway, function URL or load balancer), for every model alike; published medians of a warm Lambda call's front end are near 18 ms (STeLLAR, 2021).",
		"Service times are drawn from those measured here, scaled by the processor factor and the processor share: no tail beyond the longest sample.",
	}
	switch m {
	case workloads.ModelLambda, workloads.ModelLambdaProvisioned, workloads.ModelLambdaSnapStart:
		notes = append(notes,
			"Left out: recycling of environments that are always busy, environments initialised ahead of their first trigger, and the second init after one of more than 10 s.")
	}
	switch m {
	case workloads.ModelLambdaProvisioned:
		notes = append(notes,
			"Provisioned concurrency is sized for 70 % use at the steady rate, and does not scale; left out: its limit of ten requests a second for each provisioned environment.")
	case workloads.ModelLambdaSnapStart:
		notes = append(notes,
			"A restore takes 350-600 ms + 1 ms a resident MB (published restores); the billed part is 182 ms, that of AWS's sample log.")
	}
	return notes
}
