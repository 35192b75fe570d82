// Package drive fires a storm at a URL, open loop: each trigger is sent when
// its schedule says so, whatever became of those before it, and every latency
// is counted from the intended send, so that a stalled endpoint can't hide its
// stall (coordinated omission). It knows nothing of containers; the same storm
// hits a local endpoint or a real one.
//
// vegeta's library paces and hands out the triggers. Four things are ours, each
// because what they replace was measured to spoil the figures, or to cost more:
//
//	schedule ──> Pacer: waits inside Pace, under a context, until a lead of
//	   │         20 ms before the intended send, so that waking a goroutine,
//	   │         on a host that the storm itself keeps busy, is off the path
//	   │           │ tick
//	   │         worker ──> RoundTripper: finds its trigger by X-Vegeta-Seq,
//	   │                    takes a connection that is already dialled, queues
//	   │                    it, and is free for the next
//	   ├──intended──────────> Sender: one locked thread that sleeps to just
//	   │                      before the time, spins the rest and writes
//	   └──samples <── watch <── Receiver: one goroutine that sleeps in epoll,
//	                          stamps and frames the answers
//
// vegeta thus does not wait for answers, and its results say only that a trigger was
// handed out. Connections of TLS are read by a goroutine each, and HTTP/2 is sent by one.
//
// A new Attacker is made for each storm, as a used one drops triggers. Its own
// latency is not used, since it holds the lead.
//
// Where the generator could not keep to the schedule the Report says so.
package drive
