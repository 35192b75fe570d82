package invoke

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// functionURL is a URL by which a function or an alias of it can be invoked
// without the API. What is shown of it is constant; a change makes another.
type functionURL struct {
	id        string
	function  string
	qualifier string
	shown     URLConfig
}

// URLConfig is a function URL as the API shows it (AWS API reference:
// FunctionUrlConfig).
type URLConfig struct {
	FunctionURL      string `json:"FunctionUrl"`
	FunctionArn      string
	AuthType         string
	InvokeMode       string
	Cors             *Cors `json:",omitempty"`
	CreationTime     string
	LastModifiedTime string
}

// Cors says which pages in browsers may call.
type Cors struct {
	AllowCredentials bool     `json:",omitempty"`
	AllowHeaders     []string `json:",omitempty"`
	AllowMethods     []string `json:",omitempty"`
	AllowOrigins     []string `json:",omitempty"`
	ExposeHeaders    []string `json:",omitempty"`
	MaxAge           int      `json:",omitempty"` // seconds
}

const (
	urlPath = "/lambda-url/" // by path: /lambda-url/{id}/...
	urlHost = ".lambda-url." // by host: {id}.lambda-url.anything
)

type urlInput struct {
	AuthType, InvokeMode *string
	Cors                 *Cors
}

func (in urlInput) apply(u *URLConfig) error {
	set(&u.AuthType, in.AuthType)
	set(&u.InvokeMode, in.InvokeMode)
	if in.Cors != nil {
		u.Cors = in.Cors
	}
	if u.AuthType != "NONE" && u.AuthType != "AWS_IAM" {
		return unfit("authType", u.AuthType, "NONE|AWS_IAM")
	}
	if u.InvokeMode != "BUFFERED" && u.InvokeMode != "RESPONSE_STREAM" {
		return unfit("invokeMode", u.InvokeMode, "BUFFERED|RESPONSE_STREAM")
	}
	u.LastModifiedTime = now()
	return nil
}

func (s *Service) createURL(c *call) (int, any, error) {
	var in urlInput
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.AuthType == nil {
		return 0, nil, required("authType")
	}
	var out URLConfig
	err := s.look(c, func(t target, f *function, _ *version) error {
		switch {
		case t.qualifier != "" && f.aliases[t.qualifier] == nil:
			return badParameter("A function URL belongs to a function or an alias, not to version %s", t.qualifier)
		case f.urls[t.qualifier] != nil:
			return conflict("Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function", t.arn())
		}
		id := newURLID()
		out = URLConfig{
			FunctionURL: s.config.URL + urlPath + id + "/", FunctionArn: t.arn(), InvokeMode: "BUFFERED", CreationTime: now(),
		}
		if err := in.apply(&out); err != nil {
			return err
		}
		u := &functionURL{id: id, function: t.name, qualifier: t.qualifier, shown: out}
		f.urls[t.qualifier], s.urls[id] = u, u
		return nil
	})
	return http.StatusCreated, out, err
}

// newURLID is the first part of a URL's host, as on AWS of letters and digits.
func newURLID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// url finds the one that a call is about, and calls do under the lock.
func (s *Service) url(c *call, do func(f *function, u *functionURL) error) error {
	return s.look(c, func(t target, f *function, _ *version) error {
		u := f.urls[t.qualifier]
		if u == nil {
			return missing("The resource you requested does not exist.")
		}
		return do(f, u)
	})
}

func (s *Service) getURL(c *call) (int, any, error) {
	var out URLConfig
	err := s.url(c, func(_ *function, u *functionURL) error {
		out = u.shown
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) updateURL(c *call) (int, any, error) {
	var in urlInput
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	var out URLConfig
	err := s.url(c, func(f *function, u *functionURL) error {
		out = u.shown
		if err := in.apply(&out); err != nil {
			return err
		}
		changed := *u
		changed.shown = out
		f.urls[u.qualifier], s.urls[u.id] = &changed, &changed
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) deleteURL(c *call) (int, any, error) {
	err := s.url(c, func(f *function, u *functionURL) error {
		delete(f.urls, u.qualifier)
		delete(s.urls, u.id)
		return nil
	})
	return http.StatusNoContent, nil, err
}

func (s *Service) listURLs(c *call) (int, any, error) {
	var all []URLConfig
	err := s.look(c, func(_ target, f *function, _ *version) error {
		for _, u := range f.urls {
			all = append(all, u.shown)
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	key := func(u URLConfig) string { return u.FunctionArn }
	slices.SortFunc(all, func(a, b URLConfig) int { return cmp.Compare(key(a), key(b)) })
	some, next, err := page(c, maxPage, all, key)
	return http.StatusOK, struct {
		FunctionURLConfigs []URLConfig `json:"FunctionUrlConfigs"`
		NextMarker         string      `json:",omitempty"`
	}{some, next}, err
}

// urlOf finds the function URL that a request is for, by its host or its path,
// and the path that the function is told.
func (s *Service) urlOf(r *http.Request) (*functionURL, string) {
	path := r.URL.EscapedPath()
	id, _, ok := strings.Cut(r.Host, urlHost)
	if !ok {
		rest, ok := strings.CutPrefix(path, urlPath)
		if !ok {
			return nil, ""
		}
		id, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.urls[id], path
}
