// Command several is a function in AWS's client for Go, whose invocations meet.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Until int  // as many invocations in all must have come before this one goes on
	Exit  bool // it then ends the process
	Hang  bool // or goes on for an hour
	Print bool // or prints
}

type answer struct {
	Told  string // AWS_LAMBDA_MAX_CONCURRENCY
	ID    string
	Count int // of invocations so far
}

var (
	mu    sync.Mutex
	count int
	came  = sync.NewCond(&mu)
)

func meet(until int) int {
	mu.Lock()
	defer mu.Unlock()
	count++
	came.Broadcast()
	for count < until {
		came.Wait()
	}
	return count
}

func handle(ctx context.Context, e event) (answer, error) {
	c, _ := lambdacontext.FromContext(ctx)
	a := answer{Told: os.Getenv("AWS_LAMBDA_MAX_CONCURRENCY"), ID: c.AwsRequestID, Count: meet(e.Until)}
	switch {
	case e.Exit:
		os.Exit(7)
	case e.Hang:
		time.Sleep(time.Hour)
	case e.Print:
		fmt.Printf("{\"message\":\"printed\",\"requestId\":%q}\n", c.AwsRequestID)
	}
	return a, nil
}

func main() { lambda.Start(handle) }
