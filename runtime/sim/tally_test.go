package sim

import (
	"math/rand/v2"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func TestTallyIsTheHistogramOfItsValues(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var got, half tally
	want := hdrhistogram.New(shortest, longest, digits)
	record := func(into *tally, v int64) {
		into.add(v)
		if err := want.RecordValue(min(v, longest)); err != nil {
			t.Fatal(err)
		}
	}
	for range 20_000 {
		record(&got, r.Int64N(longest>>r.IntN(40)+1))
		record(&half, r.Int64N(longest>>r.IntN(40)+1))
	}
	for _, v := range []int64{0, 1, 511, 512, 1<<20 - 1, 1 << 20, longest - 1, longest, longest + 1, never} {
		record(&got, v)
	}
	got.merge(&half)
	h := got.histogram()
	if !h.Equals(want) || h.TotalCount() != got.n {
		t.Errorf("%d values, maximum %d and mean %g, want %d, %d and %g", h.TotalCount(), h.Max(), h.Mean(), want.TotalCount(), want.Max(), want.Mean())
	}
}

func TestEveryBucketOfATallyHoldsItsLowestValue(t *testing.T) {
	for i := range bucketOf(longest) + 1 {
		if got := bucketOf(lowestOf(i)); got != i {
			t.Fatalf("%d, the lowest value of bucket %d, is in bucket %d", lowestOf(i), i, got)
		}
		if i > 0 && bucketOf(lowestOf(i)-1) != i-1 {
			t.Fatalf("what is below bucket %d is in bucket %d", i, bucketOf(lowestOf(i)-1))
		}
	}
}
