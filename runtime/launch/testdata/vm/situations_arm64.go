package main

import "time"

const (
	port     = "/dev/ttyS0"    // of PCI: the machine's own port is another kind
	patience = 5 * time.Minute // for the tests of a situation, after which they print their stacks

	rules = "process.1|no.capability|forbidden.calls|loopback|exit.code|frozen|stamps" // of every launcher
)

// These are for what differs from processor to processor: the calls that clone a
// child, the filter, the programs built in, and coldstorm as it is built. The
// situations that cgroups can put a run in are no matter of the processor.
var situations = []situation{
	{name: "clone and filter", tests: "^(TestScriptRuns|TestScriptTellsWhatFailed|TestScriptSavesAResult|TestScriptStopsForTheDead|TestChildDropsHandlers|TestManyChildren|TestFilterDecidesEveryCall|TestMachinesAreRead|TestKernelTakesTheFilter|TestProbeFromInside)$"},
	{name: "version", program: "/usr/bin/coldstorm version"},
	{name: "doctor", program: "/usr/bin/coldstorm doctor"},
	{name: "run", program: "/usr/bin/coldstorm run /test/hello.yaml --no-projection --out /tmp/runs"},
	{name: "rules", tests: "^(TestConformancePooled|TestConformanceUserNamespace)$/(" + rules + ")"},
	{name: "rules of a user", uid: uid, group: "user.slice/a.scope", owned: "user.slice/a.scope", on: "+cpu +memory +pids", tests: "^TestConformance$/(" + rules + ")", cgroups: all},
	{name: "every mode", tests: "^TestStampsOfEveryMode$"},
}
