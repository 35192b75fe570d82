package api

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
)

// register handles the registration of an internal extension. One without
// events is how aws-lambda-go asks for SIGTERM (GoLangEnableSIGTERM); events are
// not built, so an extension that wants some is refused.
func (c *conn) register(req *http.Request) error {
	if req.Header.Get("Lambda-Extension-Name") == "" {
		return c.refuse(refusal{http.StatusForbidden, "Extension.InvalidExtensionName", "Invalid extension name"})
	}
	var ask struct {
		Events []string `json:"events"`
	}
	if err := json.NewDecoder(io.LimitReader(req.Body, 64<<10)).Decode(&ask); err != nil {
		return c.refuse(refusal{http.StatusForbidden, "InvalidRequestFormat", "Invalid request format"})
	}
	if len(ask.Events) > 0 {
		return c.refuse(refusal{http.StatusForbidden, "Extension.InvalidEventType", "Extension events are not supported"})
	}
	id, no := c.env.extend()
	if no != nil {
		return c.refuse(*no)
	}
	cfg := c.env.config
	body, err := json.Marshal(map[string]string{
		"functionName": cfg.FunctionName, "functionVersion": cfg.Version, "handler": cfg.Handler,
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, contentJSON, "Lambda-Extension-Identifier: "+id+"\r\n", string(body))
}

// maxExtensions is Lambda's limit (AWS documentation: "Using the Lambda
// extensions API").
const maxExtensions = 10

func (e *Environment) extend() (string, *refusal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != started {
		return "", &refusal{http.StatusForbidden, "Extension.RegistrationClosed", "Extension registration closed already"}
	}
	if len(e.extensions) >= maxExtensions {
		return "", &refusal{http.StatusForbidden, "Extension.TooManyExtensions", "Extension limit (10) reached"}
	}
	if e.extensions == nil {
		e.extensions = make(map[string]bool, 1)
	}
	id := NewID()
	e.extensions[id] = true
	return id, nil
}

// extensionNext blocks until the environment ends: no event ever comes for an
// extension that subscribed to none.
func (c *conn) extensionNext(req *http.Request) error {
	id := req.Header.Get("Lambda-Extension-Identifier")
	c.env.mu.Lock()
	known := c.env.extensions[id]
	c.env.mu.Unlock()
	switch {
	case id == "":
		return c.refuse(refusal{http.StatusForbidden, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"})
	case !known:
		return c.refuse(refusal{http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension " + id})
	}
	<-c.env.gone
	return ErrClosed
}

// NewID returns a random version 4 UUID, as request ids are.
func NewID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[0:], b[0:4])
	hex.Encode(s[9:], b[4:6])
	hex.Encode(s[14:], b[6:8])
	hex.Encode(s[19:], b[8:10])
	hex.Encode(s[24:], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}
