package cost

import (
	"fmt"
	"strings"
	"time"

	"coldstorm/results"
)

// Month is the month that prices are quoted for: 730 hours, as in AWS's own
// calculator.
const Month = 730 * time.Hour

// Options change how a bill is made. The zero value bills every unit.
type Options struct {
	// FreeTier deducts what AWS's free tier gives each month, as if the
	// account used nothing else.
	FreeTier bool
}

// Bill prices a usage with no free tier, as Options{}.Bill does.
func Bill(b *Book, u results.Usage) (results.Bill, error) { return Options{}.Bill(b, u) }

// Bill prices a usage. Monthly tiers apply to the quantities as they are: those
// of a storm start in the first tier, those of a month (see Monthly) go through
// them; a window of several months has as much room in each tier. Requests are
// billed for Lambda alone. Quantity times price is the amount, on each line;
// where a quantity spans tiers the price is their blend.
//
// An item that the book lacks, an unknown architecture, and a quantity that is
// negative or not a number are errors.
func (o Options) Bill(b *Book, u results.Usage) (results.Bill, error) {
	l := ledger{book: b, options: o, months: max(1, float64(u.Window)/float64(Month)), err: check(u)}
	l.lambda(u)
	l.containers(u)
	l.instances(u.Instances)
	l.managed(u)
	l.network(u)
	if l.err != nil {
		return results.Bill{}, fmt.Errorf("bill of %s: %w", u.Model, l.err)
	}
	return l.bill, nil
}

// ledger collects lines until the first error.
type ledger struct {
	book    *Book
	options Options
	months  float64 // room in monthly tiers
	bill    results.Bill
	err     error
}

// lambda bills requests, durations and what is kept ready.
func (l *ledger) lambda(u results.Usage) {
	arch := u.Architecture
	durations := u.LambdaGBSeconds + u.ProvisionedGBSeconds + u.ProvisionedDurationGBSeconds
	if strings.HasPrefix(u.Model, "lambda") || durations > 0 {
		l.add("Lambda requests", "lambda/requests", float64(u.Requests)/1e6)
	}
	l.duration(u)
	l.add("Lambda provisioned concurrency", "lambda/provisioned/"+arch, u.ProvisionedGBSeconds)
	l.add("Lambda duration on provisioned concurrency", "lambda/provisioned-duration/"+arch, u.ProvisionedDurationGBSeconds)
	l.add("Lambda SnapStart cache", "lambda/snapstart-cache/"+arch, u.SnapshotCacheGBSeconds)
	l.add("Lambda SnapStart restores", "lambda/snapstart-restore/"+arch, u.RestoredGB)
}

// duration bills init apart from the rest, both at the price of their sum: they
// go through the tiers, and the free tier, together.
func (l *ledger) duration(u results.Usage) {
	total, init := u.LambdaGBSeconds, u.LambdaInitGBSeconds
	p, ok := l.price("lambda/duration/"+u.Architecture, total)
	if !ok {
		return
	}
	billed := total - l.free(p, total)
	if billed == 0 {
		l.line("Lambda duration, in the free tier", 0, p.Unit, 0)
		return
	}
	rate := l.amount(p, billed) / results.USD(billed)
	l.line("Lambda duration", billed*(total-init)/total, p.Unit, rate)
	if init > 0 {
		l.line("Lambda init duration", billed*init/total, p.Unit, rate)
	}
}

// containers bills Fargate and the EKS control plane.
func (l *ledger) containers(u results.Usage) {
	l.add("Fargate vCPU", "fargate/vcpu/"+u.Architecture, hours(u.FargateVCPUSeconds))
	l.add("Fargate memory", "fargate/memory/"+u.Architecture, hours(u.FargateGBSeconds))
	l.add("EKS control plane", "eks/cluster", hours(u.ClusterSeconds))
}

func (l *ledger) instances(used []results.InstanceUse) {
	for _, use := range used {
		if l.err != nil || use.Seconds == 0 {
			continue
		}
		i, err := l.book.Instance(use.Type)
		if err != nil {
			l.err = err
			return
		}
		l.line("EC2 "+use.Type, hours(use.Seconds), "hour", *i.USD)
	}
}

// managed bills the fee for instances that Lambda manages: a share of what they cost
// on demand.
func (l *ledger) managed(u results.Usage) {
	if u.Model != "lambda-managed" {
		return
	}
	var instances results.USD
	for _, i := range l.bill.Items {
		if strings.HasPrefix(i.Name, "EC2 ") {
			instances += i.Amount
		}
	}
	l.add("Lambda Managed Instances fee", "lambda/managed-fee", float64(instances))
}

// network bills load balancing, volumes, addresses and traffic.
func (l *ledger) network(u results.Usage) {
	l.add("EBS gp3 volumes", "ebs/gp3", u.StorageGBSeconds/Month.Seconds())
	l.add("Application Load Balancer", "alb/hour", hours(u.LoadBalancerSeconds))
	l.add("Load balancer capacity units", "alb/lcu", hours(u.LCUSeconds))
	l.add("Public IPv4 addresses", "ipv4/address", hours(u.IPv4Seconds))
	l.add("Internet egress", "egress/internet", u.EgressGB)
}

// add bills a quantity of an item, if there is any.
func (l *ledger) add(name, item string, quantity float64) {
	p, ok := l.price(item, quantity)
	if !ok {
		return
	}
	billed := quantity - l.free(p, quantity)
	if billed == 0 {
		l.line(name+", in the free tier", 0, p.Unit, 0)
		return
	}
	l.line(name, billed, p.Unit, l.amount(p, billed)/results.USD(billed))
}

// price returns the price of an item of which a quantity was used; ok is false
// if none was, or the book lacks it.
func (l *ledger) price(item string, quantity float64) (p Price, ok bool) {
	if l.err != nil || quantity == 0 {
		return Price{}, false
	}
	p, l.err = l.book.price(item)
	return p, l.err == nil
}

// free returns how much of a quantity the free tier takes off.
func (l *ledger) free(p Price, quantity float64) float64 {
	if !l.options.FreeTier {
		return 0
	}
	return min(quantity, p.Free*l.months)
}

// amount takes a quantity through the tiers of a price.
func (l *ledger) amount(p Price, quantity float64) results.USD {
	if p.USD != nil {
		return *p.USD * results.USD(quantity)
	}
	var sum results.USD
	from := 0.0
	for _, t := range p.Tiers {
		to := t.To * l.months
		if t.To == 0 || quantity < to {
			return sum + *t.USD*results.USD(quantity-from)
		}
		sum += *t.USD * results.USD(to-from)
		from = to
	}
	return sum
}

func (l *ledger) line(name string, quantity float64, unit string, price results.USD) {
	amount := results.USD(quantity) * price
	l.bill.Items = append(l.bill.Items, results.BillItem{
		Name: name, Quantity: quantity, Unit: unit, Price: price, Amount: amount,
	})
	l.bill.Total += amount
}

func hours(seconds float64) float64 { return seconds / 3600 }
