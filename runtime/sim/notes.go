package sim

import "coldstorm/workloads"

// Notes lists, for the report, what a model leaves out and what it assumes.
func Notes(m workloads.Model) []string {
	return append([]string{
		"Latencies hold no network time between client and endpoint, and none of the endpoint's own (API Gateway, function URL or load balancer), for every model alike; the published median of a warm Lambda call without network is 18 ms (STeLLAR, 2021).",
		"Service times are drawn from those measured here, scaled by the processor factor and the processor share: no tail beyond the longest sample.",
		"A storm meets the capacity that stands for the steady rate, without that rate's own triggers; on Lambda, what is provisioned and as many idle environments as the storm asks for, none by default.",
	}, own(m)...)
}

func own(m workloads.Model) []string {
	const (
		lambda  = "Left out: recycling of environments that are always busy, environments initialised ahead of their first trigger, and the second init after one of more than 10 s."
		start   = "Init is as measured here, but no shorter than AWS has it for the leanest function (Rust, which does nothing: median 15.9 ms); one in Go that does nothing has 49.8 ms there (maxday/lambda-perf, August 2026)."
		door    = "Invoked directly or by function URL, which cost nothing of their own: an HTTP API before it would add $1.00 a million requests."
		managed = "Environments have at least 2 GB and 1 vCPU, whatever the function asks for, with 2 GB a vCPU; three stand at least, on three instances in three zones. All instances are of one type, a c7i.xlarge or c7g.xlarge unless the scenario names one or the function needs a larger one: AWS chooses."
		service = "Requests that a unit serves at once don't slow each other down; where a burst of work goes beyond the unit's vCPUs, what comes next waits. A unit's memory is not checked against the requests in it; the unit count starts at 1 (for availability AWS advises 2). Left out: availability zones, health checks of new targets, deployments, spot, NAT gateways, log storage, and quotas on vCPUs, on tasks of a service (5,000) and on instances."
		lb      = "The load balancer sends to the target with the fewest outstanding requests unless the scenario says round-robin; a client sends 10 requests over a connection, which sets the balancer's capacity units."
		track   = "Unless the scenario says otherwise, scaling tracks 70 % processor use, taken as the busy share of slots, on 1-minute metrics that alarms see 3 minutes late (AWS's benchmark of June 2026: 363 s to the trigger)."
		hpa     = "The Horizontal Pod Autoscaler tracks 70 % processor use, taken as the busy share of slots, with the defaults of autoscaling/v2; it sees the last 15 s at once, where a metrics server adds up to as much."
		billed  = "An instance is billed from its launch request, some seconds more than AWS does; 30 GB of gp3 each."
		leaving = "A task or instance that is scaled in stays, and is billed, for the target group's deregistration delay (300 s unless the scenario says otherwise), whether it holds requests or not: ECS and Auto Scaling wait until the target is unused. What it still holds then is lost. Its process ends at once, unless the scenario has a stop_time."
		deleted = "A pod that is scaled in is told to end at once: it finishes what it holds within its grace period (30 s unless the scenario says otherwise), loses the rest, and gets no request while the load balancer deregisters it. It ends once it holds nothing, unless the scenario has a stop_time."
		image   = "An image is pulled at 80 MB/s, from sizes and pending times in public reports (60 to 100), whole and from one registry; of units that start on one instance together, all wait for one pull."
		request = "Container requests are trimmed so that the system's share of an instance's processor does not cost a whole unit; all instances are of one type."
	)
	switch m {
	case workloads.ModelLambda:
		return []string{lambda, start, door}
	case workloads.ModelLambdaProvisioned:
		return []string{lambda, start, door, "Provisioned concurrency is sized for 70 % use at the steady rate and at least a tenth of the rate (its limit of ten requests a second each), and does not scale."}
	case workloads.ModelLambdaSnapStart:
		return []string{lambda, door, "A restore takes 350-600 ms + 1 ms a resident MB (published restores), of which 182 ms are billed (AWS's sample log); a rarely used function restores more slowly."}
	case workloads.ModelLambdaManaged:
		return []string{managed, "There are no cold starts: a trigger that finds no free slot is throttled. AWS says that traffic which more than doubles within 5 minutes may be, not how it scales; taken to keep half of all slots free, to look every 15 s and to forget a need after 15 minutes. Instances cost their price on demand and 15 % (secondary source); their volumes are not billed here.", "Requests that an environment serves at once don't slow each other down; as many as its vCPUs serve, up to its runtime's default for each vCPU: 64 of Node.js, 32 of Java and .NET, 16 of Python, 8 of Rust, which others are taken to have."}
	case workloads.ModelECSFargate:
		return []string{service, lb, track, leaving, "Billing starts 10 s after the launch, where the image pull starts; there is no lazy loading (SOCI)."}
	case workloads.ModelEKSFargate:
		return []string{service, lb, hpa, deleted, "Billing starts 10 s after the launch, where the image pull starts."}
	case workloads.ModelECSEC2:
		return []string{service, lb, track, leaving, billed, request, image, "Tasks are packed (binpack) unless the scenario says otherwise; tasks have no network interface of their own (awsvpc adds seconds)."}
	case workloads.ModelEKSEC2:
		return []string{service, lb, hpa, deleted, billed, request, image, "Karpenter launches nodes, removes empty ones and moves pods off nodes that are not needed, unless the scenario names the Cluster Autoscaler."}
	case workloads.ModelEC2:
		return []string{service, lb, track, leaving, billed, "Metrics of one minute need an instance's detailed monitoring, which is not in the bill."}
	}
	return nil
}
