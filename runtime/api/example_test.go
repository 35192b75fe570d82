package api_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"coldstorm/results"
	"coldstorm/runtime/api"
)

// An environment hands one event to its runtime, which answers it.
func ExampleEnvironment_Invoke() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ready := make(chan results.Stamp, 1)
	env := api.New(l, api.Config{Ready: func(at results.Stamp) { ready <- at }})
	defer env.Close()
	go serve("http://" + l.Addr().String() + "/2018-06-01/runtime/invocation/")

	<-ready
	res, err := env.Invoke(api.Invocation{ID: "1", Payload: []byte(`"ping"`)})
	fmt.Println(string(res.Payload), err)
	// Output: "pong" <nil>
}

// serve is the runtime: it asks for one event and answers it.
func serve(base string) {
	event, err := http.Get(base + "next")
	if err != nil {
		return
	}
	event.Body.Close()
	id := event.Header.Get("Lambda-Runtime-Aws-Request-Id")
	if answer, err := http.Post(base+id+"/response", "application/json", strings.NewReader(`"pong"`)); err == nil {
		answer.Body.Close()
	}
}
