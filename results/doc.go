// Package results is the vocabulary of outcomes: starts, causes, phases,
// samples, usage, series and runs, and the schema of a run on disk.
//
// It is one of the two packages at the left of the flow (the other is
// workloads, what is to be done) and imports nothing of coldstorm. Everything
// that measures or simulates writes these types, everything that reports reads
// them from a run's folder, so that every report can be rebuilt from the folder
// alone.
//
// A run's folder holds result.json (schema coldstorm/1: units in key names,
// unknown keys refused on reading), samples.csv (one row a trigger),
// <series>.hlog, manifest.json, function.log, and what the report packages add
// to it.
package results
