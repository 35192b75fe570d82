// Command extension is an external extension that prints what it hears: events,
// and the types of telemetry. MODE=ext-crash has it end after its first event.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

var base = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API")

func call(method, path, body, id string) (*http.Response, []byte) {
	req, _ := http.NewRequest(method, base+path, bytes.NewReader([]byte(body)))
	req.Header.Set("Lambda-Extension-Name", filepath.Base(os.Args[0]))
	if id != "" {
		req.Header.Set("Lambda-Extension-Identifier", id)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println("ext", err)
		os.Exit(1)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res, b
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:8888")
	if err != nil {
		fmt.Println("ext", err)
		os.Exit(1)
	}
	go http.Serve(l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var events []struct{ Type string }
		json.NewDecoder(r.Body).Decode(&events)
		for _, e := range events {
			fmt.Println("ext telemetry", e.Type)
		}
	}))
	res, _ := call("POST", "/2020-01-01/extension/register", `{"events":["INVOKE","SHUTDOWN"]}`, "")
	id := res.Header.Get("Lambda-Extension-Identifier")
	_, said := call("PUT", "/2022-07-01/telemetry", `{"schemaVersion":"2022-12-13","types":["platform"],"buffering":{"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8888"}}`, id)
	fmt.Printf("ext telemetry subscription %s, handler %q\n", said, os.Getenv("_HANDLER"))
	for {
		_, b := call("GET", "/2020-01-01/extension/event/next", "", id)
		var e struct{ EventType, RequestID, ShutdownReason string }
		json.Unmarshal(b, &e)
		fmt.Println("ext event", e.EventType, e.RequestID+e.ShutdownReason)
		if e.EventType == "SHUTDOWN" {
			os.Exit(0)
		}
		if os.Getenv("MODE") == "ext-crash" {
			os.Exit(5)
		}
	}
}
