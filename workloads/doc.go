// Package workloads is the vocabulary of what is to be done: the scenario file
// (YAML, strict) and the catalogue of bundled functions.
//
// Load and Parse read a scenario. What they refuse they refuse with a Problem:
// file, line and column, the line itself with a caret under the value, and a
// hint. A unit is never guessed, an unknown key never skipped, and a value that
// AWS or this machine can't take is refused before anything runs.
// scenario.schema.json tells editors the same. Default, Scenarios and
// ForFunction give scenarios without a file; Bundled finds a bundled function.
//
// It is one of the two packages at the left of the flow (the other is results,
// what came out) and imports nothing of coldstorm. Each folder below it that
// holds a function is a program of its own, built first and embedded here;
// coldstorm never re-executes itself as a function.
package workloads
