package sim

import (
	"fmt"
	"math"
)

// size is what a container unit has.
type size struct {
	vcpu float64
	gb   float64
}

func (s size) String() string { return fmt.Sprintf("%g vCPU, %g GB", s.vcpu, s.gb) }

// fargateSizes lists the memory that each vCPU size of Fargate comes with (AWS
// Fargate documentation): from, to and step in GB.
var fargateSizes = []struct{ vcpu, from, to, step float64 }{
	{0.25, 0.5, 2, 0}, // 0.5, 1, 2
	{0.5, 1, 4, 1},
	{1, 2, 8, 1},
	{2, 4, 16, 1},
	{4, 8, 30, 1},
	{8, 16, 60, 4},
	{16, 32, 120, 8},
}

// fargateSize returns the smallest size with at least this many vCPUs and this
// much memory, and whether there is one.
func fargateSize(vcpu, mb float64) (size, bool) {
	for _, s := range fargateSizes {
		if s.vcpu < vcpu*0.999 || s.to*1024 < mb {
			continue
		}
		gb := max(mb/1024, s.from)
		switch {
		case s.step == 0:
			gb = math.Exp2(math.Ceil(math.Log2(gb) - 1e-9))
		default:
			gb = s.from + math.Ceil((gb-s.from)/s.step-1e-9)*s.step
		}
		return size{s.vcpu, gb}, true
	}
	return size{}, false
}

// instance is an EC2 instance type.
type instance struct {
	name string
	vcpu float64
	gb   float64
	arch string
}

// instances are the types that a scenario may name: 2 vCPU x 2^n of the current
// general (m), compute (c) and memory (r) families.
var instances = func() []instance {
	var out []instance
	sizes := []struct {
		name string
		vcpu float64
	}{{"large", 2}, {"xlarge", 4}, {"2xlarge", 8}, {"4xlarge", 16}}
	for _, f := range []struct {
		family   string
		gbPerCPU float64
		arch     string
	}{
		{"c7i", 2, "x86_64"},
		{"c6i", 2, "x86_64"},
		{"c7a", 2, "x86_64"},
		{"c6a", 2, "x86_64"},
		{"c5", 2, "x86_64"},
		{"m7i", 4, "x86_64"},
		{"m6i", 4, "x86_64"},
		{"m7a", 4, "x86_64"},
		{"m5", 4, "x86_64"},
		{"r6i", 8, "x86_64"},
		{"c7g", 2, "arm64"},
		{"c6g", 2, "arm64"},
		{"c8g", 2, "arm64"},
		{"m7g", 4, "arm64"},
		{"m8g", 4, "arm64"},
		{"r7g", 8, "arm64"},
	} {
		for _, s := range sizes {
			out = append(out, instance{f.family + "." + s.name, s.vcpu, s.vcpu * f.gbPerCPU, f.arch})
		}
	}
	return out
}()

// instanceFor returns the named type, or without a name the smallest c7i or c7g
// that holds a unit of the size.
func instanceFor(name, arch string, unit size) (instance, error) {
	for _, i := range instances {
		switch {
		case name == i.name && i.arch != arch:
			return instance{}, fmt.Errorf("%s is an %s instance, the function is built for %s", name, i.arch, arch)
		case name == i.name && i.holds(unit) == 0:
			return instance{}, fmt.Errorf("%s (%g vCPU, %g GB) does not hold a unit of %v", name, i.vcpu, i.gb, unit)
		case name == i.name:
			return i, nil
		case name == "" && i.arch == arch && i.holds(unit) > 0:
			return i, nil
		}
	}
	if name == "" {
		return instance{}, fmt.Errorf("no instance type holds a unit of %v", unit)
	}
	return instance{}, fmt.Errorf("instance type %q is not known", name)
}

// systemShare is the share of an instance's memory that the operating system
// and agents keep (Karpenter's VM_MEMORY_OVERHEAD).
const systemShare = 0.075

// holds says how many units of a size fit. Processor requests are taken to be
// trimmed so that the system's own small share does not cost a whole unit.
func (i instance) holds(u size) int {
	return int(min(i.vcpu/u.vcpu, i.gb*(1-systemShare)/u.gb) + 1e-9)
}
