package main

import "time"

const (
	port     = "/dev/ttyS1"    // the second serial port
	patience = 3 * time.Minute // for the tests of a situation, after which they print their stacks

	limits = "TestForkBombIsBounded|TestMemoryBombIsKilledAndTold|TestMemoryOfAChildEndsAll|TestQuotaIsSetAndChanged|TestDaemonDeath|TestStartEndsWhatRuns|TestCleanSparesTheLiving"
)

var situations = []situation{
	{name: "root", tests: "^(TestConformancePooled|TestGivenByHand|TestHostHere|" + limits + ")$", cgroups: all},
	{name: "user in a session", uid: uid, group: slice + "/session-1.scope", owned: manager, on: "+memory +pids", tests: "^(TestConformance|TestHostHere)$", hint: "user@.service.d"},
	{name: "user with a scope of their own", uid: uid, group: "user.slice/a.scope", owned: "user.slice/a.scope", on: "+cpu +memory +pids", tests: "^(TestConformancePooled|TestHostHere|" + limits + ")$", cgroups: all},
	{name: "engine of a user with a scope of their own", uid: uid, group: "user.slice/c.scope", owned: "user.slice/c.scope", on: "+cpu +memory +pids", binary: "engine.test", tests: "^(TestColdThenWarmInARealSandbox|TestWatch|TestTheEngineGoesWhenItsGeneratorDies)$"},
	{name: "user beside other programs under systemd", uid: uid, group: manager + "/app.slice/terminal.scope", owned: manager, on: "+memory +pids", with: true, tests: "^TestHostHere$", cgroups: "memory pids freezer", hint: "Delegate=cpu"},
	{name: "user beside other programs in all that is theirs", uid: uid, group: "user.slice/b.scope", owned: "user.slice/b.scope", on: "+cpu +memory +pids", with: true, tests: "^TestHostHere$", cgroups: "freezer", hint: "user@.service.d"},
}
