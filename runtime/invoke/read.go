package invoke

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
)

// architecture is this machine's, in Lambda's words.
func architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// look finds what a call is about, and calls do with it under the lock.
func (s *Service) look(c *call, do func(t target, f *function, v *version) error) error {
	t, err := c.target()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[t.name]
	if f == nil {
		return t.notFound()
	}
	v := f.resolve(t.qualifier)
	if v == nil {
		return t.notFound()
	}
	return do(t, f, v)
}

// shown is a version's configuration by the name that the caller used for it.
func shown(t target, v *version) Configuration {
	c := v.config
	if t.qualifier != "" {
		c.FunctionArn = t.arn()
	}
	return c
}

func (s *Service) getConfiguration(c *call) (int, any, error) {
	var out Configuration
	err := s.look(c, func(t target, _ *function, v *version) error {
		out = shown(t, v)
		return nil
	})
	return http.StatusOK, out, err
}

// codeLocation says where a function's code came from.
type codeLocation struct {
	RepositoryType   string
	Location         string `json:",omitempty"`
	ImageURI         string `json:"ImageUri,omitempty"`
	ResolvedImageURI string `json:"ResolvedImageUri,omitempty"`
}

func (s *Service) getFunction(c *call) (int, any, error) {
	var out struct {
		Configuration Configuration
		Code          codeLocation
		Tags          map[string]string `json:",omitempty"`
		Concurrency   *concurrency      `json:",omitempty"`
	}
	err := s.look(c, func(t target, f *function, v *version) error {
		out.Configuration, out.Tags = shown(t, v), maps.Clone(f.tags)
		out.Code = codeLocation{RepositoryType: "S3"}
		if v.config.PackageType == packageImage {
			out.Code = codeLocation{RepositoryType: "ECR", ImageURI: v.reference, ResolvedImageURI: v.reference}
		}
		if n, own := s.reserved(f.name); own {
			out.Concurrency = &concurrency{n}
		}
		return nil
	})
	return http.StatusOK, out, err
}

// page cuts a list to what a caller asked for. Elements are sorted by key.
func page[T any](c *call, most int, all []T, key func(T) string) (some []T, next string, err error) {
	if n := c.query("MaxItems"); n != "" {
		limit, err := strconv.Atoi(n)
		if err != nil || limit < 1 || limit > 10000 {
			return nil, "", unfit("maxItems", n, "a number from 1 to 10000")
		}
		most = min(most, limit)
	}
	after := ""
	if m := c.query("Marker"); m != "" {
		b, err := base64.URLEncoding.DecodeString(m)
		if err != nil {
			return nil, "", badParameter("Invalid pagination token")
		}
		after = string(b)
	}
	i := 0
	if after != "" {
		for i < len(all) && key(all[i]) <= after {
			i++
		}
	}
	some = all[i:min(len(all), i+most)]
	if i+most < len(all) {
		next = base64.URLEncoding.EncodeToString([]byte(key(some[len(some)-1])))
	}
	if some == nil {
		some = []T{}
	}
	return some, next, nil
}

// maxPage is the most that a listing shows at once (AWS API reference:
// ListFunctions).
const maxPage = 50

func (s *Service) listFunctions(c *call) (int, any, error) {
	every := c.query("FunctionVersion") == "ALL"
	s.mu.RLock()
	var all []Configuration
	for _, f := range s.functions {
		all = append(all, f.latest.config)
		if every {
			for _, v := range f.versions {
				all = append(all, v.config)
			}
		}
	}
	s.mu.RUnlock()
	key := func(c Configuration) string { return c.FunctionName + ":" + sortable(c.Version) }
	slices.SortFunc(all, func(a, b Configuration) int { return cmp.Compare(key(a), key(b)) })
	some, next, err := page(c, maxPage, all, key)
	for i := range some {
		some[i].State, some[i].StateReason, some[i].StateReasonCode, some[i].LastUpdateStatus = "", "", "", "" // as on AWS
		if every {
			some[i].FunctionArn = target{some[i].FunctionName, some[i].Version}.arn()
		}
	}
	return http.StatusOK, struct {
		Functions  []Configuration
		NextMarker string `json:",omitempty"`
	}{some, next}, err
}

// sortable writes a version so that texts sort as numbers do, $LATEST first.
func sortable(version string) string {
	n, err := strconv.Atoi(version)
	if err != nil {
		return ""
	}
	return strconv.Itoa(1e9 + n)
}

func (s *Service) accountSettings(*call) (int, any, error) {
	s.gate.Lock()
	limit, unreserved := s.account.Concurrency(), s.account.Unreserved()
	s.gate.Unlock()
	s.mu.RLock()
	count, size := len(s.functions), int64(0)
	for _, f := range s.functions {
		for _, v := range f.all() {
			size += v.config.CodeSize
		}
	}
	s.mu.RUnlock()
	// Sizes are AWS Lambda quotas.
	return http.StatusOK, map[string]any{
		"AccountLimit": map[string]int64{
			"TotalCodeSize": 75 << 30, "CodeSizeUnzipped": 250 << 20, "CodeSizeZipped": maxZip,
			"ConcurrentExecutions": int64(limit), "UnreservedConcurrentExecutions": int64(unreserved),
		},
		"AccountUsage": map[string]int64{"TotalCodeSize": size, "FunctionCount": int64(count)},
	}, nil
}
