package launch_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
)

// A script in a sandbox of its own. (The program that calls Start must answer
// to the hidden verb __launcher with launch.Daemon.)
func Example() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	os.Mkdir(dir+"/function", 0o755)
	os.WriteFile(dir+"/function/bootstrap", []byte("#!/bin/sh\necho process $$ says $WORD\n"), 0o755)
	img, err := image.Open(dir+"/function", dir+"/store")
	if err != nil {
		log.Fatal(err)
	}

	l, err := launch.Start(launch.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	b, err := l.Launch(context.Background(), launch.Spec{ID: "one", Image: img, Env: []string{"WORD=hello"}, MemoryBytes: 128 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	out, _ := io.ReadAll(b.Stdout)
	fmt.Printf("%s%v, started %s\n", out, b.Exit(), b.Mode)
	// Output:
	// process 1 says hello
	// exit status 0, started cold
}

// Another launcher is named as on the command line; an unknown one is refused
// before anything is started.
func ExampleParseRuntime() {
	for _, name := range []string{"builtin", "process", "docker"} {
		r, err := launch.ParseRuntime(name)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(r, r.Isolates())
	}
	// Output:
	// builtin true
	// process false
	// unknown launcher "docker": want builtin, process or oci:PATH, such as oci:runc or oci:/usr/bin/crun
}
