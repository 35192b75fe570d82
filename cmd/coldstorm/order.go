package main

import (
	"cmp"
	"iter"
	"slices"
)

// firstOf is the first of a sequence; the zero value of none.
func firstOf[T any](all iter.Seq[T]) (first T) {
	for x := range all {
		return x
	}
	return first
}

// medianBy returns the element whose key is the (lower) median; the zero value
// of none.
func medianBy[T any, K cmp.Ordered](all []T, key func(T) K) T {
	var zero T
	if len(all) == 0 {
		return zero
	}
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return sorted[(len(sorted)-1)/2]
}
