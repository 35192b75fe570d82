// Command thumbnail is a bundled function: it scales a JPEG photograph down,
// which is what many a function that object storage triggers does.
//
// The event is {"image": JPEG in base64, "width": 200, "height": 200,
// "quality": 80}; the answer is {"image": JPEG in base64, "width", "height",
// "bytes"}. The picture keeps its proportions, fits into width x height, and is
// never scaled up. An event of S3 that carries the object's contents, as those of
// coldstorm's buckets do, is taken too. Orientation and colour profile of the file are ignored.
//
// It is an ordinary AWS Lambda function in Go: zipped as bootstrap it runs on
// provided.al2023 unchanged.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	_ "coldstorm/workloads/first" // tells when it began
)

func main() { lambda.Start(thumbnail) }
