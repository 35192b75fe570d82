package engine

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/image/sample"
)

// awsClient is where .ci/ric builds AWS's client of the Runtime API for Node.js.
const awsClient = "/var/cache/coldstorm/ric/node_modules"

// nodeImage is an image of this host's Node.js and more, as a layout.
func nodeImage(t *testing.T, config v1.Config, host, texts map[string]string) string {
	t.Helper()
	needInterpreter(t, "nodejs")
	host["/usr/bin/node"] = interpreters["nodejs"]
	for _, own := range []string{"cjs-module-lexer", "acorn", "acorn-walk", "undici"} { // which Debian's keeps apart
		if dir := "/usr/share/nodejs/" + own; exists(dir) {
			host[dir] = dir
		}
	}
	img, err := sample.Programs(config, host, texts)
	if err != nil {
		t.Fatal(err)
	}
	layout := filepath.Join(t.TempDir(), "layout")
	if err := img.Layout(layout); err != nil {
		t.Fatal(err)
	}
	return layout
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// deployPackage opens an image's layout and deploys it.
func deployPackage(t *testing.T, e *Engine, p image.Package) {
	t.Helper()
	dir := t.TempDir()
	opener := &image.Opener{Copies: dir}
	t.Cleanup(func() { opener.Close() })
	img, err := opener.OpenPackage(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	deployImage(t, e, img, Function{MemoryMB: 512, Timeout: time.Minute})
}

const awsHandler = `
exports.handler = async (event, context) => {
  console.log('hello', process.env.LAMBDA_TASK_ROOT, process.cwd());
  if (event.fail) throw new RangeError('no order é');
  return { got: event, id: context.awsRequestId, name: context.functionName, left: context.getRemainingTimeInMillis() > 0, mine: process.env.MINE };
};
`

// TestAWSClientForNode runs AWS's own client, unmodified, in an image as its
// documentation has it: from a cold start to an error and on.
func TestAWSClientForNode(t *testing.T) {
	if !exists(awsClient + "/aws-lambda-ric/dist/rapid-client.node") {
		if os.Getenv("CI") == "true" {
			t.Fatal("no client of AWS's: make deps builds it")
		}
		t.Skip("NEEDS AWS'S CLIENT FOR NODE.JS: .ci/ric builds it")
	}
	e := begin(t, Config{})
	layout := nodeImage(t, v1.Config{
		Entrypoint: []string{"/usr/bin/node", "node_modules/aws-lambda-ric/bin/index.mjs"}, Cmd: []string{"index.handler"},
		WorkingDir: "/function", Env: []string{"MINE=7"},
	}, map[string]string{"/function/node_modules/aws-lambda-ric": awsClient + "/aws-lambda-ric"}, map[string]string{"/function/index.js": awsHandler})
	deployPackage(t, e, image.Package{Path: layout})
	answers(t, e)
}

// answers holds what awsHandler answers against what it should, by whatever it
// is run.
func answers(t *testing.T, e *Engine) {
	t.Helper()
	for _, start := range []results.Start{results.StartCold, results.StartWarm} {
		a := send(t, e, `{"a":"漢"}`, "X-Amz-Log-Type", "Tail")
		want := `{"got":{"a":"漢"},"id":"` + a.header.Get("X-Amzn-Requestid") + `","name":"f","left":true,"mine":"7"}`
		if a.body != want || a.evidence.Start != start {
			t.Errorf("got %s, start %s", a.body, a.evidence.Start)
		}
		tail, _ := base64.StdEncoding.DecodeString(a.header.Get("X-Amz-Log-Result"))
		if want := a.header.Get("X-Amzn-Requestid") + "\tINFO\thello /var/task /function"; !strings.Contains(string(tail), want) {
			t.Errorf("no %q in %s", want, tail)
		}
		sums(t, a.evidence)
	}
	a := send(t, e, `{"fail":true}`)
	s := shape(t, a.body)
	if s.ErrorType != "RangeError" || s.ErrorMessage != "no order é" || len(s.Trace) == 0 || s.Trace[0] != "RangeError: no order é" || a.header.Get("X-Amz-Function-Error") != "Unhandled" {
		t.Errorf("got %s", a.body)
	}
	if a := send(t, e, `{}`); a.evidence.Start != results.StartWarm {
		t.Errorf("after an error: %+v", a.evidence)
	}
}

// TestAnImagesInterpreter says that a handler in an image without any client runs
// by the image's interpreter once its runtime is named.
func TestAnImagesInterpreter(t *testing.T) {
	e := begin(t, Config{})
	layout := nodeImage(t, v1.Config{Cmd: []string{"index.handler"}, WorkingDir: "/function", Env: []string{"MINE=7", "PATH=/usr/bin"}},
		map[string]string{}, map[string]string{"/function/index.js": awsHandler})
	deployPackage(t, e, image.Package{Path: layout, Runtime: "nodejs22.x"})
	answers(t, e)
}
