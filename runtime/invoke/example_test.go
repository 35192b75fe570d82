package invoke_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/invoke"
	"coldstorm/runtime/live"
)

// shouter deploys functions that shout.
type shouter struct{}

func (shouter) Open(context.Context, invoke.Code) (image.Image, error) { return image.Image{}, nil }
func (shouter) Deploy(image.Image, live.Config) invoke.Deployed        { return shouter{} }
func (shouter) Snapshot(_ context.Context, img image.Image, _ live.Config) (image.Image, error) {
	return img, errors.New("shouts are not restored")
}
func (shouter) Close() error { return nil }
func (shouter) Serve(r live.Request, answer func(live.Result)) {
	answer(live.Result{Outcome: results.OutcomeServed, Payload: []byte(strings.ToUpper(string(r.Payload)))})
}

func ExampleService() {
	account := invoke.New(invoke.Config{Deployer: shouter{}})
	defer account.Close()
	server := httptest.NewServer(account)
	defer server.Close()

	if err := account.Add("shout", image.Image{}, 0, 0, 0, nil); err != nil {
		fmt.Println(err)
		return
	}
	r, err := http.Post(server.URL+"/2015-03-31/functions/shout/invocations", "application/json", strings.NewReader(`"hello"`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	fmt.Println(r.Status, string(b))
	// Output: 200 OK "HELLO"
}
