package main

import (
	"testing"
	"time"
)

func TestFiguresHaveThreeDigitsAndAUnit(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{span(0), "0"},
		{span(999), "999 ns"},
		{span(1500), "1.50 µs"},
		{span(12345 * time.Microsecond), "12.3 ms"},
		{span(1234 * time.Millisecond), "1.23 s"},
		{span(15 * time.Minute), "15.0 min"},
		{size(999), "999 bytes"},
		{size(141_500), "142 kB"},
		{size(6_291_556), "6.29 MB"},
		{thousands(0), "0"},
		{thousands(999), "999"},
		{thousands(1000), "1,000"},
		{thousands(1234567), "1,234,567"},
		{thousands(-1234), "-1,234"},
		{clock(125 * time.Second), "02:05"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
