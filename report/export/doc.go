// Package export writes a run in the formats that aren't a page: a summary for
// a terminal, one in Markdown for a pull request or a wiki, percentile files
// that HdrHistogram's plotter reads, and CSV.
//
// Text and Markdown say of every latency whether it was measured here or
// projected on AWS, and of a quantile that its samples can't carry "n too
// small". In CSV, whose columns carry their units in their names, it is an
// empty cell. A name that a user gave can't move a terminal's cursor, end a
// table's cell or become markup.
package export
