// Package workloads is the vocabulary of what is to be done: the scenario file
// (YAML, strict) and the catalogue of bundled functions.
//
// It is one of the two packages at the left of the flow (the other is results,
// what came out) and imports nothing of coldstorm. Each folder below it that
// holds a function is a program of its own, built first and embedded here;
// coldstorm never re-executes itself as a function.
package workloads
