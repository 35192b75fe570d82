// Package record keeps the samples of one series and turns them into what a
// report needs of it: counts, quantiles and percentile curves for each kind of
// start, phases of cold starts, and a timeline.
//
// Cold and warm are kept apart everywhere: no figure is made of both.
//
// Chosen: every sample is kept, packed into 20 to 80 bytes (pack.go), so that
// samples.csv has them all, drawings their points, and a storm of up to 100,000
// triggers exact order statistics. Memory is bounded all the same: beyond 32 MiB,
// about a million results, packed samples go to a file (shard.go); beyond 100,000
// durations a set of them is an HDR histogram of three digits (stats.Set), at most
// 0.1 % above the truth. Turned down: every sample whole (400 bytes: 42 GB for the
// largest storm that there is); histograms alone, which can't be drawn sample by
// sample; digests, which are off by a factor where a quantile falls between the
// warm and the cold.
//
// Recording takes no lock, allocates a buffer per thousand samples or more, and
// never waits for the disk. Several goroutines that record have a Recorder each,
// and Merge joins them.
package record
