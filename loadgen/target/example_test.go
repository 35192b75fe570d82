package target_test

import (
	"fmt"
	"strings"

	"coldstorm/loadgen/target"
)

func ExampleRead() {
	list := "GET http://host/a\nX-Key: 1\n\nPOST http://host/b\n"
	all, err := target.Read(strings.NewReader(list), []byte("{}"), nil)
	for _, t := range all {
		fmt.Println(t.Method, t.URL, t.Header, string(t.Body))
	}
	fmt.Println(err)
	// Output:
	// GET http://host/a map[X-Key:[1]] {}
	// POST http://host/b map[] {}
	// <nil>
}
