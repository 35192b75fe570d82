package drive_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

func ExampleAttack_Fire() {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(results.EvidenceHeader, results.Evidence{Start: results.StartWarm}.String())
	}))
	defer endpoint.Close()

	outcomes := map[results.Outcome]int{}
	attack := drive.Attack{
		URL:      endpoint.URL,
		Payloads: []drive.Payload{{Name: "order", Body: []byte(`{"id": 1}`)}},
		Schedule: storm.Burst{N: 100},
	}
	report, err := attack.Fire(context.Background(), func(s results.Sample) {
		outcomes[s.Outcome]++
	})
	fmt.Println(report.Sent, "sent,", outcomes[results.OutcomeServed], "served,", err)
	// Output: 100 sent, 100 served, <nil>
}
