package image_test

import (
	"errors"
	"fmt"
	"os"

	"coldstorm/runtime/image"
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
