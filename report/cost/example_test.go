package cost_test

import (
	"fmt"

	"coldstorm/report/cost"
	"coldstorm/results"
)

// A million requests a month of 120 ms each, at 1536 MB.
func Example() {
	bill, err := cost.Bill(cost.Default(), results.Usage{
		Model: "lambda", Architecture: "x86_64", Window: cost.Month,
		Requests: 1_000_000, LambdaGBSeconds: 1_000_000 * 0.120 * 1.5,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, i := range bill.Items {
		fmt.Printf("%-16s %10.0f %-17s x %-14s %s\n", i.Name, i.Quantity, i.Unit, cost.FormatPrice(i.Price), cost.Format(i.Amount))
	}
	fmt.Println("total", cost.Format(bill.Total))
	// Output:
	// Lambda requests           1 million requests  x $0.20          $0.20
	// Lambda duration      180000 GB-second         x $0.0000166667  $3.00
	// total $3.20
}
