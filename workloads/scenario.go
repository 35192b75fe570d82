package workloads

import "time"

// Scenario says what a run does: which function, fed with which payloads,
// under which storms, projected on which compute models at which rate.
type Scenario struct {
	Name     string
	Function Function
	Payloads []Payload // the workload's smallest, or an empty event, unless the file gives some
	Storms   []Storm
	Sweep    Sweep
	Models   []Model // every one of AllModels unless the file names some
	Live     []Model // those of LiveModels that run on this machine, beside lambda, which always does; empty: lambda alone
	Project  Project
	Seed     int64 // of every random choice; 1 by default

	Source []byte // the file as read
	Dir    string // the folder that relative paths in it start from
}

// Function is what is deployed.
type Function struct {
	Workload     string            // a bundled function's name, or
	Path         string            // a directory or zip with a bootstrap or a handler, or a saved container image, from Scenario.Dir; or an image reference
	Name         string            // defaults to the workload's, or to the path's last element
	MemoryMB     int               // 128..10240; 1769 MB, by default, is one vCPU
	Timeout      time.Duration     // 1 s..900 s; 30 s by default
	Concurrency  int               // reserved; what is beyond is throttled; 0: the account's 1,000
	KeepAlive    time.Duration     // idle time before an environment is reclaimed; 5 min by default
	Architecture string            // x86_64 or arm64: for prices; the host's by default
	Freeze       bool              // between invocations, as Lambda does; true by default
	SnapStart    bool              // also measure it restored from a snapshot of its init
	Runtime      string            // as AWS names it; of a bundled function provided.al2023; empty: as Path's contents say. Decides what AWS offers (SnapStart)
	Handler      string            // module.function of a managed runtime; empty: the usual one
	Env          map[string]string // variables of the function
}

// Payload is one event body that triggers carry.
type Payload struct {
	Name   string // the size, the file's name or inline by default
	File   string // a file relative to the scenario: JSON, unless only storms by a bucket use it, whose object it is; or
	Inline string // the body itself, or
	Size   string // the size class of the bundled workload's generator, such as small
	Weight int    // share among the payloads of a storm; 1 by default
}

// Sweep is the scaling curve: bursts of growing size, each on a fresh
// deployment.
type Sweep struct {
	Burst   []int  // sizes; empty: no sweep
	Repeats int    // bursts of each size; 3 by default
	Payload string // name; the first by default
}

// Model names a compute model.
type Model string

// The nine compute models.
const (
	ModelLambda            Model = "lambda"
	ModelLambdaProvisioned Model = "lambda-provisioned"
	ModelLambdaSnapStart   Model = "lambda-snapstart"
	ModelLambdaManaged     Model = "lambda-managed" // Lambda Managed Instances
	ModelECSFargate        Model = "ecs-fargate"
	ModelEKSFargate        Model = "eks-fargate"
	ModelECSEC2            Model = "ecs-ec2"
	ModelEKSEC2            Model = "eks-ec2"
	ModelEC2               Model = "ec2"
)

// LiveModels lists those that run on this machine too, with real containers, and
// environments of several invocations at once.
var LiveModels = []Model{
	ModelLambda, ModelLambdaManaged, ModelECSFargate, ModelEKSFargate, ModelECSEC2, ModelEKSEC2, ModelEC2,
}

// AllModels lists every Model in the order of reports.
var AllModels = []Model{
	ModelLambda, ModelLambdaProvisioned, ModelLambdaSnapStart, ModelLambdaManaged,
	ModelECSFargate, ModelEKSFargate, ModelECSEC2, ModelEKSEC2, ModelEC2,
}

// Project says what is projected on AWS.
type Project struct {
	Rate      float64       // steady triggers a second for the monthly bill; 10 by default
	Objective time.Duration // latency objective at p99; 0: none
	Region    string        // of the prices; us-east-1
	Rates     []float64     // of the break-even curve; a decade grid by default
	Instance  string        // EC2 type for lambda-managed, ecs-ec2, eks-ec2 and ec2; empty: the smallest c7i or c7g that holds the function
	// CPUFactor is the speed of one of this host's cores over one AWS vCPU:
	// measured service times are multiplied by it. 1 by default, which the
	// report says is an assumption.
	CPUFactor float64
	Fleet
}

// Fleet says by which rules the container and instance models are projected. An empty
// field is the default of the model.
type Fleet struct {
	Scaling   string // of units, one of Scalings; each model's own by default
	Nodes     string // what adds nodes to eks-ec2, one of NodeScalings; karpenter
	Placement string // of ecs-ec2, one of Placements; binpack
	Balancer  string // how it chooses a unit, one of Balancers; least-outstanding

	Zones     int           // availability zones over which nodes and their units spread; 0: 1
	SlowStart time.Duration // for which a new unit's share of triggers grows, of BalancerRoundRobin alone; 0: none

	// HealthInterval is the time between two health checks of a unit, Unhealthy the failures
	// in a row that take it out: of what runs live, where units fail; 0: 30 s, and 2.
	HealthInterval time.Duration
	Unhealthy      int

	// RestartBackoff is the wait before a second restart in a row, which doubles up to
	// RestartBackoffMax, and begins anew after RestartBackoffReset without a death: of eks-*
	// for each pod that dies, of ecs-* for a service whose tasks are never ready. 0: each
	// model's own, 10 s, 300 s and 10 min of Kubernetes, 10 s, 15 min and 15 min of ECS.
	RestartBackoff, RestartBackoffMax, RestartBackoffReset time.Duration

	// DeregistrationDelay is how long the load balancer keeps a unit that is to go, of ecs-*
	// and ec2, whose units stay, and are billed, as long; 0: 300 s. StopTimeout is how long a
	// process has to end once it was told to, of eks-* also for the requests that it holds
	// (terminationGracePeriodSeconds); 0: 30 s. StopTime is how long it takes to end, up to
	// StopTimeout; 0: it ends at once.
	DeregistrationDelay, StopTimeout, StopTime time.Duration

	// ImageCache says whether a new instance of ecs-ec2, eks-ec2 and ec2 comes with the image,
	// one of ImageCaches; cold: the first start on it pulls. On Fargate every start pulls, and
	// Lambda has caches of its own. ImageMB is the image's size as it is pulled, in 10^6
	// bytes; 0: that of the function's files.
	ImageCache string
	ImageMB    int

	WarmPool      int    // instances that ec2's group has initialised beyond those that it begins with; 0 is no warm pool
	WarmPoolState string // in which they wait, one of WarmPoolStates; stopped
}

// The words of a Fleet.
const (
	ScalingHighResolution    = "high-resolution" // target tracking on metrics of 20 s
	ScalingStep              = "step"            // step scaling
	NodesKarpenter           = "karpenter"
	NodesClusterAutoscaler   = "cluster-autoscaler"
	PlacementBinPack         = "binpack"
	PlacementSpread          = "spread"
	PlacementRandom          = "random"
	BalancerLeastOutstanding = "least-outstanding"
	BalancerRoundRobin       = "round-robin"
	ImageCacheCold           = "cold"
	ImageCacheWarm           = "warm"
	WarmPoolStopped          = "stopped"
	WarmPoolHibernated       = "hibernated"
	WarmPoolRunning          = "running"
)

// What a Fleet can have.
var (
	Scalings     = []string{ScalingHighResolution, ScalingStep}
	NodeScalings = []string{NodesKarpenter, NodesClusterAutoscaler}
	Placements   = []string{PlacementBinPack, PlacementSpread, PlacementRandom}
	Balancers    = []string{BalancerLeastOutstanding, BalancerRoundRobin}

	ImageCaches    = []string{ImageCacheCold, ImageCacheWarm}
	WarmPoolStates = []string{WarmPoolStopped, WarmPoolHibernated, WarmPoolRunning}
)
