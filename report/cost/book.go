package cost

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"coldstorm/results"
)

// Schema is the version of the price book's format.
const Schema = "coldstorm-prices/1"

// Book is a price book. Books come from Default, Region, Read or Parse, all of
// which validate; the zero value prices nothing.
type Book struct {
	Schema    string            `yaml:"schema"`
	Date      string            `yaml:"date"` // YYYY-MM-DD, of the newest source
	Region    string            `yaml:"region"`
	Sources   map[string]Source `yaml:"sources"`
	Prices    map[string]Price  `yaml:"prices"` // by item, such as lambda/requests
	Instances Instances         `yaml:"instances"`

	// Text is the file as it was read, to be kept beside what it priced.
	Text []byte `yaml:"-"`
}

// Source is where prices were read.
type Source struct {
	Title string `yaml:"title"`
	Date  string `yaml:"date"` // YYYY-MM-DD
}

// Certainty says how far a price can be relied on.
type Certainty string

// The degrees of certainty.
const (
	Verified Certainty = "verified" // read in AWS's own list, or in a file generated from it
	Quoted   Certainty = "quoted"   // read where a third party quotes AWS
	Assumed  Certainty = "assumed"  // generally known; to be checked
)

// Price is what a unit of one item costs: either USD, or monthly Tiers.
type Price struct {
	Unit      string       `yaml:"unit"`
	USD       *results.USD `yaml:"usd"`
	Tiers     []Tier       `yaml:"tiers"`
	Free      float64      `yaml:"free"` // units a month that the free tier gives
	Source    string       `yaml:"source"`
	Certainty Certainty    `yaml:"certainty"`
}

// Tier is a part of a month's quantity with a price of its own. It ends where
// To units are reached; the last one has To 0 and no end.
type Tier struct {
	USD *results.USD `yaml:"usd"`
	To  float64      `yaml:"to"`
}

// Instances are the EC2 types, on demand, Linux.
type Instances struct {
	Source    string              `yaml:"source"`
	Certainty Certainty           `yaml:"certainty"`
	Types     map[string]Instance `yaml:"types"`
}

// Instance is one EC2 type.
type Instance struct {
	USD          *results.USD `yaml:"usd"` // an hour
	VCPU         int          `yaml:"vcpu"`
	MemoryGB     float64      `yaml:"memory_gb"`
	Architecture string       `yaml:"architecture"`
}

//go:embed prices/*.yaml
var embedded embed.FS

// Default returns the embedded book of us-east-1.
var Default = sync.OnceValue(func() *Book {
	b, err := Region("us-east-1")
	if err != nil {
		panic(err) // a test reads every embedded book
	}
	return b
})

// Region returns the embedded book of a region. The error for one without names
// those that there are.
func Region(region string) (*Book, error) {
	text, err := embedded.ReadFile("prices/" + region + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no price book of region %q: there is %s", region, strings.Join(Regions(), ", "))
	}
	return Parse(text)
}

// Regions lists the regions of the embedded books.
func Regions() []string {
	files, err := embedded.ReadDir("prices")
	if err != nil {
		panic(err) // it is embedded
	}
	var out []string
	for _, f := range files {
		out = append(out, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return out
}

// Read reads the book in a file of the user's.
func Read(file string) (*Book, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read price book: %w", err)
	}
	b, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}

// Parse reads a book from YAML, strictly: an unknown key, a second document,
// and anything that validation finds are errors.
func Parse(text []byte) (*Book, error) {
	b := &Book{Text: bytes.Clone(text)}
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := d.Decode(b); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("price book: it is empty")
		}
		return nil, fmt.Errorf("price book: %w", err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("price book: there is more than one document in it")
	}
	if err := b.validate(); err != nil {
		return nil, fmt.Errorf("price book: %w", err)
	}
	return b, nil
}

// Digest returns the SHA-256 of the book's text in hexadecimal.
func (b *Book) Digest() string {
	sum := sha256.Sum256(b.Text)
	return hex.EncodeToString(sum[:])
}

// Ref returns what a run keeps of the book that priced it.
func (b *Book) Ref() results.PriceBookRef {
	var titles []string
	for _, s := range b.Sources {
		titles = append(titles, s.Title+" ("+s.Date+")")
	}
	slices.Sort(titles)
	return results.PriceBookRef{Date: b.Date, Region: b.Region, Digest: b.Digest(), Sources: strings.Join(titles, "; ")}
}

// Instance returns an EC2 type, or an error that names the missing one.
func (b *Book) Instance(name string) (Instance, error) {
	i, ok := b.Instances.Types[name]
	if !ok {
		return Instance{}, fmt.Errorf("the price book of %s (%s) has no price of instance %q", b.Region, b.Date, name)
	}
	return i, nil
}

// price returns the price of an item, or an error that names the missing one.
func (b *Book) price(item string) (Price, error) {
	p, ok := b.Prices[item]
	if !ok {
		return Price{}, fmt.Errorf("the price book of %s (%s) has no price of %s", b.Region, b.Date, item)
	}
	return p, nil
}
