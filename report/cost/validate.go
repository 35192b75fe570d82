package cost

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"time"

	"coldstorm/results"
)

// items are the prices that a book must have, each with its unit: a bill relies
// on the unit, so another one is an error and not a conversion.
var items = map[string]string{
	"lambda/requests":                    "million requests",
	"lambda/duration/x86_64":             "GB-second",
	"lambda/duration/arm64":              "GB-second",
	"lambda/provisioned/x86_64":          "GB-second",
	"lambda/provisioned/arm64":           "GB-second",
	"lambda/provisioned-duration/x86_64": "GB-second",
	"lambda/provisioned-duration/arm64":  "GB-second",
	"lambda/snapstart-cache/x86_64":      "GB-second",
	"lambda/snapstart-cache/arm64":       "GB-second",
	"lambda/snapstart-restore/x86_64":    "GB restored",
	"lambda/snapstart-restore/arm64":     "GB restored",
	"lambda/managed-fee":                 "EC2 dollar",
	"lambda/ephemeral":                   "GB-second",
	"fargate/vcpu/x86_64":                "vCPU-hour",
	"fargate/vcpu/arm64":                 "vCPU-hour",
	"fargate/memory/x86_64":              "GB-hour",
	"fargate/memory/arm64":               "GB-hour",
	"eks/cluster":                        "hour",
	"alb/hour":                           "hour",
	"alb/lcu":                            "LCU-hour",
	"ebs/gp3":                            "GB-month",
	"ipv4/address":                       "hour",
	"egress/internet":                    "GB",
}

var (
	regionName   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d+$`)
	instanceName = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9-]+$`)
)

// validate returns every fault of the book at once, in a fixed order.
func (b *Book) validate() error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if b.Schema != Schema {
		fault("schema is %q, want %q", b.Schema, Schema)
	}
	if !isDate(b.Date) {
		fault("date %q is not YYYY-MM-DD", b.Date)
	}
	if !regionName.MatchString(b.Region) {
		fault("region %q is not the name of one, such as us-east-1", b.Region)
	}
	for _, name := range slices.Sorted(maps.Keys(b.Sources)) {
		if s := b.Sources[name]; s.Title == "" || !isDate(s.Date) {
			fault("source %s needs a title and a date as YYYY-MM-DD", name)
		}
	}
	for _, item := range slices.Sorted(maps.Keys(items)) {
		p, ok := b.Prices[item]
		if !ok {
			fault("the price of %s is missing", item)
			continue
		}
		if err := p.validate(items[item]); err != nil {
			fault("%s: %w", item, err)
		} else if err := b.origin(p.Source, p.Certainty); err != nil {
			fault("%s: %w", item, err)
		}
	}
	for _, item := range slices.Sorted(maps.Keys(b.Prices)) {
		if _, ok := items[item]; !ok {
			fault("%s is not an item that a bill knows", item)
		}
	}
	faults = append(faults, b.validateInstances()...)
	return errors.Join(faults...)
}

func (b *Book) validateInstances() (faults []error) {
	if len(b.Instances.Types) == 0 {
		return []error{errors.New("the prices of instances are missing")}
	}
	if err := b.origin(b.Instances.Source, b.Instances.Certainty); err != nil {
		faults = append(faults, fmt.Errorf("instances: %w", err))
	}
	for _, name := range slices.Sorted(maps.Keys(b.Instances.Types)) {
		i := b.Instances.Types[name]
		switch {
		case !instanceName.MatchString(name):
			faults = append(faults, fmt.Errorf("instance %q: not a type, such as c7i.large", name))
		case !isPrice(i.USD):
			faults = append(faults, fmt.Errorf("instance %s: usd has to be a number from 0 up", name))
		case i.VCPU < 1 || !(i.MemoryGB > 0) || math.IsInf(i.MemoryGB, 0):
			faults = append(faults, fmt.Errorf("instance %s: vcpu and memory_gb have to be above 0", name))
		case i.Architecture != "x86_64" && i.Architecture != "arm64":
			faults = append(faults, fmt.Errorf("instance %s: architecture %q is neither x86_64 nor arm64", name, i.Architecture))
		}
	}
	return faults
}

// origin checks what a price says of its source.
func (b *Book) origin(source string, c Certainty) error {
	if _, ok := b.Sources[source]; !ok {
		return fmt.Errorf("source %q is not among sources", source)
	}
	if c != Verified && c != Quoted && c != Assumed {
		return fmt.Errorf("certainty %q is none of verified, quoted, assumed", c)
	}
	return nil
}

func (p Price) validate(unit string) error {
	if p.Unit != unit {
		return fmt.Errorf("unit is %q, want %q", p.Unit, unit)
	}
	if !(p.Free >= 0) || math.IsInf(p.Free, 0) {
		return errors.New("free has to be a number from 0 up")
	}
	if len(p.Tiers) == 0 {
		if !isPrice(p.USD) {
			return errors.New("usd has to be a number from 0 up")
		}
		return nil
	}
	if p.USD != nil {
		return errors.New("it has both usd and tiers")
	}
	from := 0.0
	for i, t := range p.Tiers {
		last := i == len(p.Tiers)-1
		switch {
		case !isPrice(t.USD):
			return fmt.Errorf("tier %d: usd has to be a number from 0 up", i+1)
		case last && t.To != 0:
			return fmt.Errorf("tier %d is the last and must have no end", i+1)
		case !last && (!(t.To > from) || math.IsInf(t.To, 0)):
			return fmt.Errorf("tier %d: it has to end above %v", i+1, from)
		}
		from = t.To
	}
	return nil
}

func isPrice(p *results.USD) bool {
	return p != nil && *p >= 0 && !math.IsInf(float64(*p), 0)
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
