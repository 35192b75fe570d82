package cost

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestEmbeddedBooksAreValid(t *testing.T) {
	if len(Regions()) == 0 {
		t.Fatal("no embedded book")
	}
	for _, region := range Regions() {
		b, err := Region(region)
		if err != nil {
			t.Fatal(err)
		}
		if b.Region != region {
			t.Errorf("the book %s is of %s", region, b.Region)
		}
		ref := b.Ref()
		if ref.Region != region || ref.Date != b.Date || len(ref.Digest) != 64 || ref.Sources == "" {
			t.Errorf("reference %+v", ref)
		}
	}
	if Default().Region != "us-east-1" {
		t.Errorf("the default book is of %s", Default().Region)
	}
	if _, err := Region("mars-1"); err == nil || !strings.Contains(err.Error(), "us-east-1") {
		t.Errorf("the error for an unknown region, %v, names none that there is", err)
	}
}

func TestParseRefuses(t *testing.T) {
	good := string(Default().Text)
	for _, c := range []struct {
		name, old, new string
		want           string // in the error
	}{
		{"another schema", "coldstorm-prices/1", "coldstorm-prices/2", "schema"},
		{"a date that is none", `date: "2026-09-28" # the`, `date: "yesterday" # the`, "date"},
		{"a region that is none", "region: us-east-1", "region: moon", "region"},
		{"an unknown key", "region: us-east-1", "region: us-east-1\nregoin: x", "regoin"},
		{"a price that is missing", "alb/lcu:", "alb/lcy:", "the price of alb/lcu is missing"},
		{"a price that no bill knows", "alb/lcu:", "alb/lcy:", "alb/lcy is not an item"},
		{"a price without an amount", "usd: 0.008,", "", "alb/lcu: usd"},
		{"a negative price", "usd: 0.008,", "usd: -1,", "alb/lcu: usd"},
		{"an infinite price", "usd: 0.008,", "usd: .inf,", "alb/lcu: usd"},
		{"a price that is no number", "usd: 0.008,", "usd: .nan,", "alb/lcu: usd"},
		{"another unit", "unit: LCU-hour", "unit: LCU-day", "alb/lcu: unit"},
		{"an unknown source", "unit: LCU-hour, usd: 0.008, source: elb", "unit: LCU-hour, usd: 0.008, source: rumour", "rumour"},
		{
			"an unknown certainty", "unit: LCU-hour, usd: 0.008, source: elb, certainty: quoted",
			"unit: LCU-hour, usd: 0.008, source: elb, certainty: sure", "certainty",
		},
		{"tiers that fall", "to: 15_000_000_000", "to: 5_000_000_000", "tier 2"},
		{"a last tier with an end", "- {usd: 0.0000133334}", "- {usd: 0.0000133334, to: 9e12}", "tier 3 is the last"},
		{"an instance without a price", "t3.nano: {usd: 0.0052,", "t3.nano: {", "instance t3.nano: usd"},
		{"an instance of another architecture", "architecture: arm64}", "architecture: mips}", "neither"},
		{"a key twice", "  alb/lcu:", "  alb/hour: {}\n  alb/lcu:", "alb/hour"},
		{"a second document", "schema:", "a: 1\n---\nschema:", ""},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s: %q is not in the book", c.name, c.old)
		}
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not name %q", c.name, err, c.want)
		}
	}
	for _, text := range []string{"", "# nothing", "[]", "7", "schema: [", good + "\n---\nx: 1\n"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%.20q… is a book", text)
		}
	}
}

func TestReadNamesTheFile(t *testing.T) {
	file := t.TempDir() + "/mine.yaml"
	if _, err := Read(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(file, []byte("schema: x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file that is no book: %v", err)
	}
	if err := os.WriteFile(file, Default().Text, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.Digest() != Default().Digest() {
		t.Error("the same text has another digest")
	}
}

func TestDigestChangesWithThePrices(t *testing.T) {
	text := bytes.Replace(Default().Text, []byte("usd: 0.008,"), []byte("usd: 0.009,"), 1)
	b, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if b.Digest() == Default().Digest() {
		t.Error("another price, the same digest")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Default().Text)
	f.Add([]byte("schema: coldstorm-prices/1\nprices: {a: &a {usd: 1}, b: *a}\n"))
	f.Add([]byte("instances: {types: {a.b: {usd: 1e999}}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := Parse(text)
		if err != nil {
			return
		}
		for item := range items { // what validates can be billed
			if _, err := b.price(item); err != nil {
				t.Error(err)
			}
		}
		if _, err := Bill(b, everything); err != nil && !strings.Contains(err.Error(), "instance") {
			t.Error(err)
		}
	})
}
