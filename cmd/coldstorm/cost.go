package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/report/cost"
	"coldstorm/results"
	"coldstorm/workloads"
)

var costCommand = command{
	name: "cost", args: "[SCENARIO] [flags]", short: "price curves and break-even of the compute models, running nothing",
	long: `
Cost says what a month of a function costs on every compute model, at a row of request
rates, and at which rates two models cost the same. Nothing is run: a month of each is
simulated as a Poisson stream, as a run's report has it, from what the function takes:

    --profile RUN        what a run has measured on this machine
    --service, --init    what you state, as in 'coldstorm simulate'

A price in brackets is of a model that misses the latency objective there, or throttles;
it is in no break-even. Prices are those of the dated book that is named below the table;
--prices takes a file of yours in its place (the embedded one shows the form:
report/cost/prices).

Examples:

    coldstorm cost --service 80ms
    coldstorm cost --service lognormal:40ms,600ms --memory 512 --objective 1s
    coldstorm cost --profile latest --rates 0.1,10,1000
    coldstorm cost --service 80ms --model lambda,ecs-fargate --save cost.png
    coldstorm cost --service 80ms --save cost.csv --prices my-prices.yaml`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		var o costOptions
		f.StringVar(&o.profile, "profile", "", "`run` whose measured times are taken: its folder, id or latest")
		f.StringVar(&o.service, "service", "", "service `time` of an invocation, or a distribution of it")
		f.StringVar(&o.init, "init", "250ms", "init `time` of an environment, or a distribution of it")
		f.StringSliceVar(&o.models, "model", nil, "compute `models`, instead of the scenario's (repeat, or separate by commas)")
		f.IntVar(&o.memory, "memory", 0, "memory of the function in `MB`, instead of the scenario's")
		f.DurationVar(&o.objective, "objective", 0, "latency objective at p99, instead of the scenario's; negative: none")
		f.Float64SliceVar(&o.rates, "rates", nil, "`requests a second` of the table, instead of the scenario's")
		f.StringVar(&o.region, "region", "", "region of the prices, instead of the scenario's")
		f.StringVar(&o.prices, "prices", "", "price book to take, a `file`")
		f.StringVar(&o.save, "save", "", "`file` to write besides: .png or .svg (the picture), .csv or .json (the figures)")
		return func(ctx context.Context, a *app, args []string) error {
			o.given = func(name string) bool { return f.Lookup(name) != nil && f.Lookup(name).Changed }
			return o.do(ctx, a, args)
		}
	},
}

// costOptions are the flags of cost; those that it shares with simulate mean the same.
type costOptions struct {
	simulateOptions
	objective time.Duration
	rates     []float64
	region    string
	prices    string
	save      string
}

// mostRate bounds a stated rate, in requests a second, as a scenario's.
const mostRate = 10_000_000

// saved are the kinds of file that cost writes.
var saved = []string{".png", ".svg", ".csv", ".json"}

func (o *costOptions) check(args []string) error {
	o.scale, o.workers = 1, 1
	if o.profile != "" && !o.given("init") {
		o.init = ""
	}
	if err := o.simulateOptions.check(args); err != nil {
		return err
	}
	for _, r := range o.rates {
		if !(r > 0 && r <= mostRate) {
			return usageError("", "--rates: %v is not within 0..%v requests a second", r, float64(mostRate))
		}
	}
	if o.prices != "" && o.region != "" {
		return usageError("a price book is of one region", "--prices and --region exclude each other")
	}
	if o.save != "" && !slices.Contains(saved, filepath.Ext(o.save)) {
		return usageError("one that ends in "+strings.Join(saved, ", "), "--save %s: no such kind of file is written", o.save)
	}
	return nil
}

func (o *costOptions) do(ctx context.Context, a *app, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	var from kept
	var err error
	if o.profile != "" {
		if from, err = find(o.profile); err != nil {
			return err
		}
	}
	sc, err := o.scenario(args, from)
	if err != nil {
		return err
	}
	o.priced(&sc)
	prof, err := o.profileFor(sc, from)
	if err != nil {
		return err
	}
	book, err := o.book(sc)
	if err != nil {
		return err
	}
	progress := newProgress(a.stderr)
	defer progress.Close()
	run := results.Run{Scenario: sc.Name, PriceBook: book.Ref()}
	p := projector{scenario: sc, profile: prof, book: book, say: func(m string) { progress.Say("simulating %s", m) }}
	if run.Projections, run.BreakEven, err = p.all(ctx); err != nil {
		return err
	}
	progress.Close()
	if o.save != "" {
		if err := o.write(run); err != nil {
			return fmt.Errorf("--save: %w", err)
		}
	}
	fmt.Fprintf(a.stdout, "%d MB, %s, from %s\n", sc.Function.MemoryMB, describeTimes(prof), o.source(from))
	return printCosts(a.stdout, run, sc.Project)
}

// priced is the scenario without its storms, and with the flags that are cost's own.
func (o *costOptions) priced(sc *workloads.Scenario) {
	sc.Storms = nil
	if len(o.rates) > 0 {
		slices.Sort(o.rates)
		sc.Project.Rates = slices.Compact(o.rates)
	}
	switch {
	case o.objective < 0:
		sc.Project.Objective = 0
	case o.objective > 0:
		sc.Project.Objective = o.objective
	}
	if o.region != "" {
		sc.Project.Region = o.region
	}
}

func (o *costOptions) book(sc workloads.Scenario) (*cost.Book, error) {
	if o.prices != "" {
		b, err := cost.Read(o.prices)
		if err != nil {
			return nil, usageError("report/cost/prices shows the form", "--prices: %w", err)
		}
		return b, nil
	}
	b, err := cost.Region(sc.Project.Region)
	if err != nil {
		return nil, usageError("--prices FILE takes a book of yours", "%w", err)
	}
	return b, nil
}

// printCosts prints a month's price for each rate and model, and the break-even rates.
func printCosts(w io.Writer, run results.Run, pr workloads.Project) error {
	fmt.Fprintln(w, "\nA month at each rate, projected on AWS: every figure is simulated, none was measured\n ")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var offered []results.Projection
	fmt.Fprint(tw, "  requests a second")
	for _, p := range run.Projections {
		if p.Offered {
			offered = append(offered, p)
			fmt.Fprint(tw, "\t", p.Model)
		}
	}
	fmt.Fprintln(tw)
	for i, rate := range pr.Rates {
		fmt.Fprint(tw, "  ", figure.Number(rate))
		for _, p := range offered {
			text := figure.Absent
			if i < len(p.Curve) {
				if text = figure.USD(p.Curve[i].Monthly); !p.Curve[i].Feasible {
					text = "(" + text + ")"
				}
			}
			fmt.Fprint(tw, "\t", text)
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, b := range run.BreakEven {
		fmt.Fprintf(w, "  %s and %s cost the same at %s: %s a month\n", b.A, b.B, figure.Rate(b.Rate), figure.USD(b.Monthly))
	}
	if len(run.BreakEven) == 0 {
		fmt.Fprintln(w, "  no two models that carry the load cost the same at a rate between these")
	}
	for _, p := range run.Projections {
		if !p.Offered {
			fmt.Fprintf(w, "  %s is %s\n", p.Model, absent(p))
		}
	}
	objective := "no latency objective"
	if pr.Objective > 0 {
		objective = "in brackets: p99 is over " + span(pr.Objective) + ", or more than 0.1 % are refused"
	}
	_, err := fmt.Fprintf(w, "\n%s; prices of %s, %s\n", objective, run.PriceBook.Region, run.PriceBook.Date)
	return err
}

// write writes the file of --save.
func (o *costOptions) write(run results.Run) error {
	return results.Replace(o.save, func(w io.Writer) error {
		switch filepath.Ext(o.save) {
		case ".csv":
			return writeCostCSV(w, run)
		case ".json":
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(struct {
				PriceBook   results.PriceBookRef `json:"price_book"`
				Projections []results.Projection `json:"projections"`
				BreakEven   []results.BreakEven  `json:"break_even"`
			}{run.PriceBook, run.Projections, run.BreakEven})
		case ".svg":
			_, err := w.Write(chart.BreakEven(run).SVG())
			return err
		}
		png, err := chart.BreakEven(run).PNG()
		if err == nil {
			_, err = w.Write(png)
		}
		return err
	})
}

func writeCostCSV(w io.Writer, run results.Run) error {
	c := csv.NewWriter(w)
	c.Write([]string{"model", "rate_per_second", "usd_per_month", "p99_ns", "units", "feasible"})
	for _, p := range run.Projections {
		for _, pt := range p.Curve {
			c.Write([]string{
				p.Model, strconv.FormatFloat(pt.Rate, 'g', -1, 64), strconv.FormatFloat(float64(pt.Monthly), 'f', 4, 64),
				strconv.FormatInt(int64(pt.P99), 10), strconv.FormatFloat(pt.Units, 'g', 6, 64), strconv.FormatBool(pt.Feasible),
			})
		}
	}
	c.Flush()
	return c.Error()
}
