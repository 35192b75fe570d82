package main

import (
	"fmt"
	"os"
	"testing"

	"coldstorm/runtime/image/sample"
)

// imagetool writes a program as a container image:
//
//	imagetool layout|tar|saved PROGRAM PATH [NAME=value...]
func imagetool() {
	if err := writeImage(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func writeImage(form, program, path string, env []string) error {
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	img, err := sample.Of(text, env...)
	if err != nil {
		return err
	}
	switch form {
	case "layout":
		return img.Layout(path)
	case "tar":
		return img.LayoutTar(path)
	case "saved":
		return img.Saved(path)
	}
	return fmt.Errorf("unknown form %q", form)
}

// serveImage serves a program as an image in a registry, and returns its name.
func serveImage(t *testing.T, program string) string {
	t.Helper()
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	img, err := sample.Of(text)
	if err != nil {
		t.Fatal(err)
	}
	s, reference, err := img.Serve()
	t.Cleanup(s.Close)
	if err != nil {
		t.Fatal(err)
	}
	return reference
}
