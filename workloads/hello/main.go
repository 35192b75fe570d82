// Hello is the smallest function there is: it greets who the event names. What
// an invocation of it takes is what everything but the function takes.
//
// With PORT set it serves the same over plain HTTP, as a container or a process
// on an instance would, on 127.0.0.1.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	_ "coldstorm/workloads/first" // tells when it began
)

// Event is what a trigger carries.
type Event struct {
	Name string `json:"name"` // empty greets the world
}

// Greeting is the answer.
type Greeting struct {
	Greeting string `json:"greeting"`
}

func greet(_ context.Context, e Event) (Greeting, error) {
	if e.Name == "" {
		e.Name = "world"
	}
	return Greeting{"hello, " + e.Name}, nil
}

func serve(w http.ResponseWriter, r *http.Request) {
	var e Event
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g, err := greet(r.Context(), e)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(g)
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		lambda.Start(greet)
		return
	}
	log.Fatal(http.ListenAndServe(net.JoinHostPort("127.0.0.1", port), http.HandlerFunc(serve)))
}
