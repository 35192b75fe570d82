// Package stats holds the statistics of reports and gates: quantiles as order
// statistics, intervals without a distribution, percentile spectra, and tests
// by sign, by label swap and by resampling. Pure: the same input and seed give
// the same output on every machine.
//
// Rules that every function here keeps:
//
//   - A quantile is an order statistic (Hyndman and Fan's type 1): a value that
//     was measured, not one between two. The report, the histogram log and the
//     gate therefore agree.
//   - Nothing is shown that N samples can't carry: it is zero, see
//     results.Quantiles.
//   - No tail is trimmed.
//   - Empty input gives zero values, never a panic or a NaN.
//   - What is resampled is the independent unit (a pair, a round, a block),
//     never single samples that share one.
//
// Chosen: percentile bootstrap and randomization. Turned down: BCa (its
// acceleration is inconsistent for quantiles), Mann-Whitney (it tests medians,
// and raises false alarms where samples of a round are correlated), normal
// theory (latencies are skewed).
package stats
