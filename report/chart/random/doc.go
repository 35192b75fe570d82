// Package random makes runs for tests: every field that a report reads, filled
// with figures of a plausible size, drawn from a seed. The same seed makes the
// same run.
//
// Nothing that it makes was measured or simulated; only tests import it.
package random
