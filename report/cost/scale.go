package cost

import (
	"fmt"
	"math"

	"coldstorm/results"
)

// Monthly scales a usage from its window to one Month, as if the window went on
// all month. A usage without a window is returned as it is.
func Monthly(u results.Usage) results.Usage {
	if u.Window <= 0 {
		return u
	}
	f := float64(Month) / float64(u.Window)
	u.Window = Month
	u.Requests = int64(math.Round(float64(u.Requests) * f))
	for _, q := range quantities(&u) {
		*q.of *= f
	}
	instances := make([]results.InstanceUse, len(u.Instances)) // the caller keeps its own
	for i, use := range u.Instances {
		use.Seconds *= f
		use.Count = int(math.Ceil(float64(use.Count) * f))
		instances[i] = use
	}
	if len(u.Instances) > 0 {
		u.Instances = instances
	}
	return u
}

// quantity is one number of a Usage, with its name for people.
type quantity struct {
	name string
	of   *float64
}

// quantities lists all numbers of a usage but requests and instances.
func quantities(u *results.Usage) []quantity {
	return []quantity{
		{"Lambda GB-seconds", &u.LambdaGBSeconds},
		{"Lambda init GB-seconds", &u.LambdaInitGBSeconds},
		{"provisioned GB-seconds", &u.ProvisionedGBSeconds},
		{"provisioned duration GB-seconds", &u.ProvisionedDurationGBSeconds},
		{"snapshot cache GB-seconds", &u.SnapshotCacheGBSeconds},
		{"restored GB", &u.RestoredGB},
		{"Fargate vCPU-seconds", &u.FargateVCPUSeconds},
		{"Fargate GB-seconds", &u.FargateGBSeconds},
		{"cluster seconds", &u.ClusterSeconds},
		{"load balancer seconds", &u.LoadBalancerSeconds},
		{"LCU-seconds", &u.LCUSeconds},
		{"storage GB-seconds", &u.StorageGBSeconds},
		{"IPv4 seconds", &u.IPv4Seconds},
		{"egress GB", &u.EgressGB},
	}
}

// check refuses what is no quantity.
func check(u results.Usage) error {
	all := quantities(&u)
	requests := float64(u.Requests)
	all = append(all, quantity{"requests", &requests})
	for i, use := range u.Instances {
		all = append(all, quantity{"seconds of instance " + use.Type, &u.Instances[i].Seconds})
	}
	for _, q := range all {
		if v := *q.of; !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("%v %s are no quantity", v, q.name)
		}
	}
	if u.LambdaInitGBSeconds > u.LambdaGBSeconds {
		return fmt.Errorf("init takes %v GB-seconds of %v", u.LambdaInitGBSeconds, u.LambdaGBSeconds)
	}
	return nil
}

// PerMillion returns what a million requests cost if so many cost the bill's
// total; 0 without requests.
func PerMillion(b results.Bill, requests int64) results.USD {
	if requests <= 0 {
		return 0
	}
	return b.Total / results.USD(requests) * 1e6
}
