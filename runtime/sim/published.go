package sim

import "time"

// Network is the time between client and endpoint, both ways together, that
// every projected latency includes: none, for every model alike, since it
// depends on where the caller stands. A reader who calls over the internet adds
// a round trip.
const Network = 0 * time.Millisecond

// Published distributions of AWS's own delays. Where only a range or a
// percentile is known, the shape is log-normal, as start latencies are.
var (
	// Lambda, trigger to the first instruction of init: placement, microVM,
	// code. AWS reports it nowhere; the difference between a client's view and
	// Init Duration + Duration in a public X-Ray set (Rust, 128 MB) is 60-100
	// ms. The tail is that of Go cold starts in STeLLAR (IISWC'21: p99 1.6
	// times the median), widened to 2.7 for packages that are not cached.
	lambdaPlatform = logNormal("lambda platform", 75*time.Millisecond, 200*time.Millisecond)

	// Lambda's Init Duration of a function that does nothing, in the leanest
	// runtime there is (maxday/lambda-perf, August 2026: Rust, zip, x86_64, 128
	// MB; arm64 13.8 and 42.9 ms, Go 49.8 and 71.0). An init that is shorter
	// here, where its pages are in memory already, is not shorter there.
	lambdaInit = logNormal("lambda init", 15900*time.Microsecond, 50500*time.Microsecond)

	// SnapStart restore of a snapshot with little resident memory: 350-600 ms
	// over published runtimes (Rust 377, Java 475-487, Python 622); what is
	// resident adds about a millisecond a MB.
	snapStartRestore = uniform("snapstart restore", 350*time.Millisecond, 600*time.Millisecond)

	// ECS task on Fargate with a small image: 23 s in AWS's scaling benchmark of
	// June 2026 (386 s - 363 s), 20-40 s in public reports.
	ecsFargateTask = logNormal("fargate task", 25*time.Second, 60*time.Second)

	// EKS pod on Fargate: about twice as long, since a node registers first
	// (0 to 3,500 containers: first at about 60 s, vladionescu.me 2022).
	eksFargatePod = logNormal("fargate pod", 55*time.Second, 120*time.Second)

	// Task on an instance that has room and the image cached: 1-3 s pending
	// (containers-roadmap #696).
	ecsEC2Task = logNormal("ecs task", 2*time.Second, 6*time.Second)

	// Pod on a node that has room and the image cached.
	eksEC2Pod = logNormal("eks pod", 2*time.Second, 5*time.Second)

	// Node launched by Karpenter, to schedulable: 45-90 s (2026 playbook).
	karpenterNode = logNormal("karpenter node", 50*time.Second, 100*time.Second)

	// Instance launched by an Auto Scaling group for ECS, to registered:
	// slower than the instance alone, since the group and the agent poll.
	ecsNode = logNormal("ecs instance", 120*time.Second, 240*time.Second)

	// EC2 instance, request to the first connection: 4.8 s RunInstances + 17.8 s
	// pending to running + 3.2 s boot = 25.8 s (m7i.large, AL2023,
	// ec2-coldboot-research 2026; 22-26 s over types and regions). The tail is
	// an assumption.
	ec2Boot = logNormal("ec2 instance", 25800*time.Millisecond, 40*time.Second)
	// An instance of a warm pool, to the first connection: 21.2 s from stopped, 20.7
	// hibernated, 1.9 running (ec2-coldboot-research 2026). The tails are assumptions,
	// as much longer as that of a new instance.
	ec2Stopped    = logNormal("ec2 instance, stopped in a warm pool", 21200*time.Millisecond, 33*time.Second)
	ec2Hibernated = logNormal("ec2 instance, hibernated in a warm pool", 20700*time.Millisecond, 32*time.Second)
	ec2Running    = logNormal("ec2 instance, running in a warm pool", 1900*time.Millisecond, 2900*time.Millisecond)
)

// Constants of AWS with their sources.
const (
	// snapStartPerMB is added to a restore for each resident MB (published
	// restores: 395 ms at 51 MB, 673-693 ms at 327 MB).
	snapStartPerMB = time.Millisecond
	// snapStartBilled is the part of a restore that is billed, runtime load and
	// hooks (AWS documentation, sample REPORT line: 182 of 398.97 ms).
	snapStartBilled = 182 * time.Millisecond
	// pullRate is the rate at which Fargate pulls an image: 60-100 MB/s, from
	// image sizes and pending times in public reports; taken for instances too.
	pullRate = 80e6 // bytes a second
	// pullIncluded is the size of a small image whose pull the published
	// latencies of a Fargate task hold already.
	pullIncluded = 50e6
	// fargateUnbilled is the time before the image pull starts, which AWS does
	// not bill: the network interface, about 10 s.
	fargateUnbilled = 10 * time.Second
	// initVCPU is the processor that Lambda gives to init, whatever the memory
	// (init times are the same at 128 and 1,024 MB: maxday/lambda-perf).
	initVCPU = 2.0
	// lambdaPeriod and containerPeriod are the periods of the processor quota:
	// a burst of work within the quota of one period is not slowed down.
	lambdaPeriod    = 20 * time.Millisecond
	containerPeriod = 100 * time.Millisecond
)
