package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/engine"
	"coldstorm/runtime/image"
)

// Start an engine, deploy a folder that holds var/task/bootstrap, and send it a
// trigger.
func ExampleStart() {
	eng, err := engine.Start(context.Background(), engine.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer eng.Close()
	err = eng.Deploy(engine.Function{
		Name: "hello", MemoryMB: 1769, KeepAlive: time.Minute,
		Image: image.Image{Layers: []string{"/srv/hello"}, Argv: []string{"/var/task/bootstrap"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := http.Post(eng.InvokeURL("hello"), "application/json", strings.NewReader("{}"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	evidence, err := results.ParseEvidence(res.Header.Get(results.EvidenceHeader))
	fmt.Println(res.Status, evidence.Start, evidence.Phases.Init, err)
}
