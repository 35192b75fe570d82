package trace

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// table reads a CSV file row by row, its columns by their names.
type table struct {
	csv  *csv.Reader
	head []string
	row  []string
}

func newTable(r *bufio.Reader) (*table, error) {
	c := csv.NewReader(r)
	c.ReuseRecord, c.FieldsPerRecord, c.LazyQuotes, c.TrimLeadingSpace = true, -1, true, true
	t := &table{csv: c}
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("line 1: the file is empty")
	}
	if err != nil {
		return nil, err
	}
	for i, h := range head {
		if i == 0 {
			h = strings.TrimPrefix(h, "\ufeff")
		}
		t.head = append(t.head, strings.Clone(strings.TrimSpace(h)))
	}
	return t, nil
}

// columns are the positions of names; an error names one that is missing.
func (t *table) columns(names ...string) ([]int, error) {
	var at []int
	for _, n := range names {
		i := index(t.head, n)
		if i < 0 {
			return nil, fmt.Errorf("line 1: there is no column %s", n)
		}
		at = append(at, i)
	}
	return at, nil
}

// next reads a row; false after the last. A row without need columns is refused.
func (t *table) next(need int) (bool, error) {
	row, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if t.row = row; len(row) < need {
		return false, t.wrong("%d columns where %d are needed", len(row), need)
	}
	return true, nil
}

// line is that of the row.
func (t *table) line() int {
	line, _ := t.csv.FieldPos(0)
	return line
}

func (t *table) wrong(format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{t.line()}, args...)...)
}

// number reads a column of the row as a number that is not negative; empty and NaN
// are none of it.
func (t *table) number(i int) (v float64, ok bool, err error) {
	text := strings.TrimSpace(t.row[i])
	if text == "" || strings.EqualFold(text, "nan") || strings.EqualFold(text, "null") {
		return 0, false, nil
	}
	v, err = strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, false, t.wrong("column %s: %q is no number of 0 or more", t.name(i), text)
	}
	return v, true, nil
}

func (t *table) name(i int) string {
	if i < len(t.head) {
		return t.head[i]
	}
	return strconv.Itoa(i + 1)
}

// maxTime bounds times and durations: a century, in seconds.
const maxTime = 100 * 365 * 24 * 3600

// seconds is number as a time.
func (t *table) seconds(i int) (time.Duration, bool, error) {
	v, ok, err := t.number(i)
	if err == nil && v > maxTime {
		err = t.wrong("column %s: %v seconds is over a century", t.name(i), v)
	}
	return toDuration(v), ok, err
}

// toDuration rounds seconds to nanoseconds.
func toDuration(seconds float64) time.Duration { return time.Duration(math.Round(seconds * 1e9)) }

// maxCount bounds how often a function was invoked in one bucket.
const maxCount = 1_000_000_000

// count is number as a whole one.
func (t *table) count(i int) (int64, error) {
	v, _, err := t.number(i)
	if err == nil && (v != math.Trunc(v) || v > maxCount) {
		err = t.wrong("column %s: %v is no count of invocations", t.name(i), v)
	}
	return int64(v), err
}
