package cost

import (
	"math"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

// everything uses some of all that there is.
var everything = results.Usage{
	Model: "lambda", Architecture: "arm64", Window: time.Hour, Requests: 1000,
	LambdaGBSeconds: 100, LambdaInitGBSeconds: 10, ProvisionedGBSeconds: 3600, ProvisionedDurationGBSeconds: 7,
	SnapshotCacheGBSeconds: 3600, RestoredGB: 4, FargateVCPUSeconds: 60, FargateGBSeconds: 120,
	Instances:      []results.InstanceUse{{Type: "c7g.large", Seconds: 3600, Count: 1}},
	ClusterSeconds: 3600, LoadBalancerSeconds: 3600, LCUSeconds: 3600, StorageGBSeconds: 8 * 3600, IPv4Seconds: 3600, EgressGB: 1,
}

func near(t *testing.T, what string, got, want results.USD) {
	t.Helper()
	if math.Abs(float64(got-want)) > 1e-9*math.Max(1, math.Abs(float64(want))) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestBillByHand(t *testing.T) {
	for _, c := range []struct {
		name  string
		usage results.Usage
		want  results.USD
	}{
		{
			// 3 c7g.xlarge at 0.145 for 10 h = 4.35, 15 % of it = 0.6525 (0.02175 an
			// instance-hour, as AWS has it), 2M requests = 0.40.
			"three managed instances",
			results.Usage{
				Model: "lambda-managed", Architecture: "arm64", Window: 10 * time.Hour, Requests: 2e6,
				Instances: []results.InstanceUse{{Type: "c7g.xlarge", Seconds: 30 * 3600, Count: 3}},
			},
			5.4025,
		},
		{
			// 1M x 0.120 s x 1536/1024 GB = 180,000 GB-s x 0.0000166667 = 3.000006;
			// 1M requests = 0.20.
			"1M requests of 120 ms at 1536 MB, x86_64",
			results.Usage{Model: "lambda", Architecture: "x86_64", Window: Month, Requests: 1e6, LambdaGBSeconds: 180_000},
			3.200006,
		},
		{
			// The same at 0.0000133334: 2.400012.
			"the same on arm64",
			results.Usage{Model: "lambda", Architecture: "arm64", Window: Month, Requests: 1e6, LambdaGBSeconds: 180_000},
			2.600012,
		},
		{
			// REPORT line: 133.61 ms + init 80.00 ms is billed 214 ms; at 128 MB
			// 0.214 x 0.125 = 0.02675 GB-s = 4.4583e-7, and one request 2e-7.
			"one cold start of 214 billed ms at 128 MB",
			results.Usage{
				Model: "lambda", Architecture: "x86_64", Window: time.Second, Requests: 1,
				LambdaGBSeconds: 0.214 * 0.125, LambdaInitGBSeconds: 0.080 * 0.125,
			},
			0.214*0.125*0.0000166667 + 0.0000002,
		},
		{
			// 20e9 GB-s: 6e9 x 0.0000166667 = 100,000.20; 9e9 x 0.000015 =
			// 135,000; 5e9 x 0.0000133334 = 66,667.
			"a month in all three tiers",
			results.Usage{Model: "lambda", Architecture: "x86_64", Window: Month, LambdaGBSeconds: 20e9},
			100_000.20 + 135_000 + 66_667,
		},
		{
			// Exactly the first tier.
			"a month at the end of the first tier",
			results.Usage{Model: "lambda", Architecture: "x86_64", Window: Month, LambdaGBSeconds: 6e9},
			100_000.20,
		},
		{
			// Two months have twice the room: 12e9 in tier 1, 1e9 in tier 2.
			"two months",
			results.Usage{Model: "lambda", Architecture: "x86_64", Window: 2 * Month, LambdaGBSeconds: 13e9},
			2*100_000.20 + 15_000,
		},
		{
			// 100 environments of 1 GB for 8 h: 2,880,000 GB-s x 0.0000041667 =
			// 12.000096; 1.2M x 0.5 s x 1 GB = 600,000 x 0.0000097222 = 5.83332;
			// 1.2M requests 0.24.
			"provisioned concurrency",
			results.Usage{
				Model: "lambda-provisioned", Architecture: "x86_64", Window: 8 * time.Hour, Requests: 1_200_000,
				ProvisionedGBSeconds: 2_880_000, ProvisionedDurationGBSeconds: 600_000,
			},
			12.000096 + 5.83332 + 0.24,
		},
		{
			// 1 GB cached 730 h: 2,628,000 x 0.0000015046 = 3.9540888; 1,000
			// restores of 1 GB: 0.1397998.
			"SnapStart",
			results.Usage{Model: "lambda-snapstart", Architecture: "x86_64", Window: Month, SnapshotCacheGBSeconds: 2_628_000, RestoredGB: 1000},
			3.9540888 + 0.1397998,
		},
		{
			// One task of 0.25 vCPU and 0.5 GB for 730 h: 182.5 x 0.04048 +
			// 365 x 0.004445 = 7.3876 + 1.622425; ALB 730 x 0.0225 = 16.425.
			"a Fargate task behind a load balancer",
			results.Usage{
				Model: "ecs-fargate", Architecture: "x86_64", Window: Month, Requests: 1e6,
				FargateVCPUSeconds: 0.25 * 730 * 3600, FargateGBSeconds: 0.5 * 730 * 3600, LoadBalancerSeconds: 730 * 3600,
			},
			7.3876 + 1.622425 + 16.425,
		},
		{
			// Two c7i.large: 1,460 h x 0.08925 = 130.305; EKS 73; 2 x 20 GB gp3
			// x 0.08 = 3.20; two addresses 7.30; 1 LCU 5.84.
			"EKS on two instances",
			results.Usage{
				Model: "eks-ec2", Architecture: "x86_64", Window: Month, Requests: 1e6,
				Instances:      []results.InstanceUse{{Type: "c7i.large", Seconds: 2 * 730 * 3600, Count: 2}},
				ClusterSeconds: 730 * 3600, StorageGBSeconds: 40 * 730 * 3600, IPv4Seconds: 2 * 730 * 3600, LCUSeconds: 730 * 3600,
			},
			130.305 + 73 + 3.20 + 7.30 + 5.84,
		},
		{"egress", results.Usage{Model: "ec2", EgressGB: 100}, 9},
		{"requests cost nothing off Lambda", results.Usage{Model: "ec2", Requests: 1e9}, 0},
		{"nothing", results.Usage{}, 0},
	} {
		bill, err := Bill(Default(), c.usage)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		near(t, c.name, bill.Total, c.want)
		var sum results.USD
		for _, i := range bill.Items {
			near(t, c.name+", "+i.Name, i.Amount, i.Price*results.USD(i.Quantity))
			sum += i.Amount
		}
		near(t, c.name+", sum of its lines", sum, bill.Total)
	}
}

func TestInitHasALineOfItsOwn(t *testing.T) {
	bill, err := Bill(Default(), results.Usage{Model: "lambda", Architecture: "x86_64", LambdaGBSeconds: 10, LambdaInitGBSeconds: 4})
	if err != nil {
		t.Fatal(err)
	}
	if len(bill.Items) != 2 || bill.Items[0].Quantity != 6 || bill.Items[1].Quantity != 4 || bill.Items[1].Name != "Lambda init duration" {
		t.Errorf("items %+v", bill.Items)
	}
}

func TestFreeTier(t *testing.T) {
	free := Options{FreeTier: true}
	for _, c := range []struct {
		name  string
		usage results.Usage
		want  results.USD
	}{
		// 3M requests, 400,000 GB-s of 1,500,000: 2 x 0.20 + 1,100,000 x 0.0000166667.
		{"it is deducted", results.Usage{Model: "lambda", Architecture: "x86_64", Window: Month, Requests: 3e6, LambdaGBSeconds: 1.5e6}, 0.4 + 18.33337},
		{"what fits in it is free", results.Usage{Model: "lambda", Architecture: "x86_64", Window: Month, Requests: 1e6, LambdaGBSeconds: 4e5}, 0},
		{"none for provisioned capacity", results.Usage{Model: "lambda-provisioned", Architecture: "x86_64", ProvisionedGBSeconds: 1000}, 0.0041667},
	} {
		bill, err := free.Bill(Default(), c.usage)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		near(t, c.name, bill.Total, c.want)
	}
}

func TestBillRefuses(t *testing.T) {
	poor, err := Parse(Default().Text)
	if err != nil {
		t.Fatal(err)
	}
	delete(poor.Prices, "alb/lcu")
	for _, c := range []struct {
		name  string
		book  *Book
		usage results.Usage
		want  string // in the error
	}{
		{"an instance that the book lacks", Default(), results.Usage{Model: "ec2", Instances: []results.InstanceUse{{Type: "x9.huge", Seconds: 1}}}, "x9.huge"},
		{"an item that the book lacks", poor, results.Usage{Model: "ec2", LCUSeconds: 1}, "alb/lcu"},
		{"an unknown architecture", Default(), results.Usage{Model: "lambda", Architecture: "mips", LambdaGBSeconds: 1}, "mips"},
		{"no architecture", Default(), results.Usage{Model: "ecs-fargate", FargateGBSeconds: 1}, "fargate/memory/"},
		{"a negative quantity", Default(), results.Usage{Model: "ec2", EgressGB: -1}, "egress"},
		{"negative requests", Default(), results.Usage{Model: "lambda", Requests: -1}, "requests"},
		{"NaN", Default(), results.Usage{Model: "lambda", Architecture: "arm64", LambdaGBSeconds: math.NaN()}, "NaN"},
		{"infinite time", Default(), results.Usage{Model: "ec2", Instances: []results.InstanceUse{{Type: "t3.nano", Seconds: math.Inf(1)}}}, "t3.nano"},
		{"more init than duration", Default(), results.Usage{Model: "lambda", Architecture: "arm64", LambdaGBSeconds: 1, LambdaInitGBSeconds: 2}, "init"},
	} {
		bill, err := Bill(c.book, c.usage)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not name %q", c.name, err, c.want)
		}
		if bill.Total != 0 || bill.Items != nil {
			t.Errorf("%s: half a bill, %+v", c.name, bill)
		}
	}
}

func TestMonthlyScalesAll(t *testing.T) {
	hour, err := Bill(Default(), everything)
	if err != nil {
		t.Fatal(err)
	}
	month, err := Bill(Default(), Monthly(everything))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "a month of an hour's use", month.Total, 730*hour.Total)
	if len(hour.Items) != 16 || len(month.Items) != 16 {
		t.Errorf("%d and %d lines for everything there is", len(hour.Items), len(month.Items))
	}
	if everything.Instances[0].Seconds != 3600 {
		t.Error("Monthly changed what it was given")
	}
	if u := Monthly(results.Usage{EgressGB: 3}); u.EgressGB != 3 {
		t.Errorf("without a window: %+v", u)
	}
}

func TestPerMillion(t *testing.T) {
	near(t, "3.54 for 1M", PerMillion(results.Bill{Total: 3.54}, 1e6), 3.54)
	near(t, "half a million", PerMillion(results.Bill{Total: 1}, 5e5), 2)
	near(t, "no requests", PerMillion(results.Bill{Total: 1}, 0), 0)
}
