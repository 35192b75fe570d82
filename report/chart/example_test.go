package chart_test

import (
	"fmt"
	"strings"

	"coldstorm/report/chart"
	"coldstorm/report/chart/random"
)

func ExampleBreakEven() {
	run, _, _ := random.Run(1)
	c := chart.BreakEven(run)
	fmt.Println(c.Title)
	fmt.Println(strings.TrimSpace(c.Alt))
	fmt.Println(strings.HasPrefix(c.Inline(900), "<svg "))
	// Output:
	// What a month costs at each request rate, projected on AWS
	// From 94.2/s on ec2 is cheaper than lambda, at $81.00 a month. From 517/s on lambda-provisioned is cheaper than lambda, at $444.33 a month.
	// true
}
