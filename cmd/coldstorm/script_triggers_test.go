package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"coldstorm/runtime/trigger"
	"coldstorm/workloads"
)

// awaited runs a command at the endpoint at $URL and waits until a number of
// events is done with, of each of which it then prints source and outcome:
//
//	awaited NUMBER COMMAND [ARGUMENTS]
func awaited() {
	if err := await(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "awaited:", err)
		os.Exit(1)
	}
}

func await(number string, command []string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	stream, err := http.Get(os.Getenv("URL") + "/coldstorm/completions")
	if err != nil {
		return err
	}
	defer stream.Body.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	for lines := json.NewDecoder(stream.Body); n > 0; n-- {
		var c trigger.Completion
		if err := lines.Decode(&c); err != nil {
			return err
		}
		fmt.Println(c.Source, c.Outcome)
	}
	return nil
}

// post publishes to a source of the endpoint at $URL:
//
//	post SOURCE BODY
func post() {
	r, err := http.Post(os.Getenv("URL")+"/coldstorm/publish/"+os.Args[1], "", strings.NewReader(os.Args[2]))
	if err != nil {
		fmt.Fprintln(os.Stderr, "post:", err)
		os.Exit(1)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusAccepted {
		fmt.Fprintln(os.Stderr, "post:", r.Status)
		os.Exit(1)
	}
}

// takePhoto writes a photograph larger than a thumbnail:
//
//	photo FILE
func takePhoto() {
	w, _ := workloads.Bundled("thumbnail")
	b, err := w.Payload(w.Sizes[0], 1)
	var event struct{ Image []byte }
	if err == nil {
		err = json.Unmarshal(b, &event)
	}
	if err == nil {
		err = os.WriteFile(os.Args[1], event.Image, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "photo:", err)
		os.Exit(1)
	}
}

// pixels prints the size of a JPEG:
//
//	pixels FILE
func pixels() {
	b, err := os.ReadFile(os.Args[1])
	if err == nil {
		var c image.Config
		if c, err = jpeg.DecodeConfig(bytes.NewReader(b)); err == nil {
			fmt.Println(c.Width, "x", c.Height)
			return
		}
	}
	fmt.Fprintln(os.Stderr, "pixels:", err)
	os.Exit(1)
}
