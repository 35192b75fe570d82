// Package record keeps the samples of one series and turns them into what a
// report needs of it: counts, quantiles and percentile curves for each kind of
// start, phases of cold starts, and a timeline.
//
// Cold and warm are kept apart everywhere: no figure is made of both.
//
// Chosen: every sample is kept (about 400 bytes, its repeated strings shared),
// so that quantiles are exact order statistics and samples.csv can be written
// at the end. Turned down: histograms alone, which round to three digits and
// can't be drawn sample by sample; digests, which are off by a factor where a
// quantile falls between the warm and the cold. Histograms are made for the
// histogram log, the form in which other tools read a series.
package record
