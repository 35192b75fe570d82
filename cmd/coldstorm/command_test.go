package main

import (
	"os"
	"strings"
	"testing"
)

// What a reader can find out about is what there is.
func TestTheREADMEAndTheDocumentationNameEveryCommand(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands() {
		if c.hidden || c.name == "help" || c.name == "version" {
			continue
		}
		if !strings.Contains(string(readme), "\n| `"+c.name) {
			t.Errorf("README's table lacks %s", c.name)
		}
		if !strings.Contains(string(doc), "//\tcoldstorm "+c.name+" ") && !strings.Contains(string(doc), "//\tcoldstorm "+c.name+"\n") {
			t.Errorf("the package's documentation lacks %s", c.name)
		}
	}
}
