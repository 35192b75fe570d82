// Package drive fires a storm at a URL, open loop: each trigger is sent when
// its schedule says so, whatever became of those before it, and every latency
// is counted from the intended send, so that a stalled endpoint can't hide its
// stall (coordinated omission). It knows nothing of containers; the same storm
// hits a local endpoint or a real one.
//
// vegeta's library drives: its Attacker paces, hands the triggers to its
// workers and returns their results. Three things are ours, each because what
// they replace was measured to spoil the figures:
//
//	schedule ──> Pacer: waits inside Pace, under a context, until a lead of
//	   │         20 ms before the intended send, so that waking a goroutine,
//	   │         on a host that the storm itself keeps busy, is off the path
//	   │           │ tick
//	   │         worker ──> RoundTripper: finds its trigger by X-Vegeta-Seq,
//	   │                    takes a connection that is already dialled, queues
//	   └──intended──────────> Sender: one locked thread that sleeps to just
//	                          before the time, spins the rest and writes
//
// A new Attacker is made for each storm, as a used one drops triggers. Its own
// latency is not used, since it holds the lead.
//
// Where the generator could not keep to the schedule the Report says so.
package drive
