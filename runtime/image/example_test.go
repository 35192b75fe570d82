package image_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"coldstorm/runtime/image"
	"coldstorm/runtime/image/sample"
)

func ExampleOpen() {
	dir, _ := os.MkdirTemp("", "example-")
	defer os.RemoveAll(dir)
	os.Mkdir(dir+"/function", 0o755)
	os.WriteFile(dir+"/function/bootstrap", []byte("#!/bin/sh\necho hello\n"), 0o755)

	img, err := image.Open(dir+"/function", dir+"/store")
	fmt.Println(img.Argv, img.Bytes, img.HostUsr, img.Reason, err)

	os.Chmod(dir+"/function/bootstrap", 0o644)
	_, err = image.Open(dir+"/function", dir+"/store")
	fmt.Println(errors.Is(err, image.ErrNotExecutable))
	// Output:
	// [/var/task/bootstrap] 21 true bootstrap is a script for /bin/sh <nil>
	// true
}

// An image in a file is opened like a directory; one in a registry by its name.
func ExampleOpener_Open() {
	dir, _ := os.MkdirTemp("", "example-")
	defer os.RemoveAll(dir)
	saved, _ := sample.Of(sample.Nothing(), "GREETING=hello")
	saved.Saved(dir + "/fn.tar") // as docker save does

	o := image.Opener{Layers: dir + "/layers", Say: func(s string) { fmt.Println(s) }}
	defer o.Close()
	img, err := o.Open(context.Background(), dir+"/fn.tar")
	fmt.Println(img.Kind, img.Argv, img.Dir, img.Env, img.Handler, len(img.Layers), err)
	// Output:
	// unpacking layer 1 of 2
	// unpacking layer 2 of 2
	// image [/bootstrap app.handler] /app [GREETING=hello] app.handler 2 <nil>
}

// A package with a handler and without a bootstrap needs no more than a name where
// the handler has not its usual one; what keeps it from running is said.
func ExampleOpener_OpenPackage() {
	dir, _ := os.MkdirTemp("", "example-")
	defer os.RemoveAll(dir)
	os.Mkdir(dir+"/function", 0o755)
	os.WriteFile(dir+"/function/app.py", []byte("def main(event, context):\n    return event\n"), 0o644)

	o := image.Opener{Copies: dir + "/store"}
	defer o.Close()
	_, err := o.OpenPackage(context.Background(), image.Package{Path: dir + "/function"})
	var h *image.Hint
	if errors.As(err, &h) {
		fmt.Println(h.Hint)
	}
	_, err = o.OpenPackage(context.Background(), image.Package{Path: dir + "/function", Runtime: "java21", Handler: "app.Main"})
	fmt.Println(errors.Is(err, image.ErrNoHandler))

	img := image.Image{Runtime: "nodejs22.x", Managed: true, Argv: []string{"/usr/bin/node", "/var/runtime/bootstrap.mjs"}}
	fmt.Println(img.Command(1000, []string{"AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper"}))
	// Output:
	// name the handler: --handler app.lambda_handler
	// true
	// [/opt/wrapper /usr/bin/node --expose-gc --max-http-header-size=81920 --max-semi-space-size=50 --max-old-space-size=900 /var/runtime/bootstrap.mjs]
}
