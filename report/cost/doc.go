// Package cost prices what a storm or a month used: results.Usage in, an
// itemised results.Bill out, by a dated price book; and it finds the request
// rates at which two compute models cost the same.
//
// The book is data (prices/us-east-1.yaml, embedded), in which each price names
// its source and how certain it is. A file of the user's own may take its
// place. What the book lacks is an error that names the missing price, never a
// zero.
//
// Billing rules that depend on a single unit (rounding up to a millisecond,
// minimum charges, capacity kept ready) are already in the Usage: the plane
// knows each unit, this package knows only sums. What stays here are the rules
// on sums: monthly tiers and the free tier.
//
// Left out: taxes, savings plans, spot prices, data transfer between zones,
// logs, and Lambda's ephemeral storage beyond 512 MB (it is in the book, but a
// Usage has no such quantity).
package cost
