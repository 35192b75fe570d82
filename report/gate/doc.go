// Package gate turns two runs and limits into verdicts with reasons: did head
// make cold starts, warm latency, errors or cost worse than base?
//
// Each metric of each storm gets an effect (head over base, less one), its
// interval, a limit (the smallest change that matters), the samples, a p value
// and a verdict:
//
//	regression    p, adjusted for all metrics together (Holm), is below α, and the effect is above the limit
//	pass          the interval's upper end is below the limit
//	inconclusive  anything else: too few samples, too noisy, or not comparable
//
// A storm that came by an event source has the same metrics, from the intended send to
// done, and rows for the parts of its events' way; an invocation is its sample.
//
// No data, dropped load, a bottleneck in the generator, or another host,
// configuration or schedule are never a pass.
//
// Two runs made one after the other are not measured beside each other, so what
// the machine did between them can't be told from what the change did. On a
// noisy machine two runs of one version differ by more than a tenth in every
// third case. Compare's report is therefore advisory: a regression ends a
// command with 1 only where that is asked for. Within a run neighbouring samples
// are alike too; blocks of them, never single samples, are what is resampled
// and permuted.
package gate
