package invoke

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"coldstorm/runtime/image"
)

// maxZip bounds a zip that is uploaded directly, in bytes (AWS Lambda quotas).
const maxZip = 50 << 20

// codeInput is the code of a request.
type codeInput struct {
	ZipFile  []byte
	ImageURI string `json:"ImageUri"`
	S3Bucket string
}

// code takes what a caller gave for code.
func (c codeInput) code(packageType string) (Code, *serviceError) {
	switch {
	case c.S3Bucket != "":
		return Code{}, badParameter("Code in S3 is not built in this version: give ZipFile, or ImageUri with a path on this machine")
	case packageType == packageImage && c.ImageURI == "":
		return Code{}, badParameter("Please provide ImageUri when creating a function with packageType Image.")
	case packageType == packageImage:
		return Code{Image: c.ImageURI}, nil
	case c.ImageURI != "":
		return Code{}, badParameter("Please don't provide ImageUri when creating a function with packageType Zip.")
	case len(c.ZipFile) == 0:
		return Code{}, badParameter("Please provide a source for function code.")
	case len(c.ZipFile) > maxZip:
		return Code{}, tooLarge("CreateFunction", maxZip)
	}
	if _, err := zip.NewReader(bytes.NewReader(c.ZipFile), int64(len(c.ZipFile))); err != nil {
		return Code{}, badParameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	return Code{Zip: c.ZipFile}, nil
}

// settings are the parameters that create and update have in common. A nil
// pointer leaves a setting as it is.
type settings struct {
	Runtime, Role, Handler, Description *string
	Timeout, MemorySize                 *int
	Environment                         *Environment
	EphemeralStorage                    *struct{ Size int }
	TracingConfig                       *struct{ Mode string }
	SnapStart                           *struct{ ApplyOn string }
	DeadLetterConfig                    *struct{ TargetArn string }
	ImageConfig                         *ImageConfig
	Layers                              []string
	KMSKeyArn                           *string
	LoggingConfig                       *LoggingConfig
	CapacityProviderConfig              *CapacityProvider
	VpcConfig, FileSystemConfigs        json.RawMessage
	RevisionID                          string `json:"RevisionId"`
}

// apply changes a configuration.
func (in settings) apply(c *Configuration) error {
	if len(in.Layers) > 0 {
		return badParameter("Layers are not built in this version: put their files into the function's own zip or image")
	}
	set(&c.Runtime, in.Runtime)
	set(&c.Role, in.Role)
	set(&c.Handler, in.Handler)
	set(&c.Description, in.Description)
	set(&c.Timeout, in.Timeout)
	set(&c.MemorySize, in.MemorySize)
	set(&c.KMSKeyArn, in.KMSKeyArn)
	if in.Environment != nil {
		c.Environment = in.Environment
		if len(in.Environment.Variables) == 0 {
			c.Environment = nil
		}
	}
	if in.EphemeralStorage != nil {
		c.EphemeralStorage.Size = in.EphemeralStorage.Size
	}
	if in.TracingConfig != nil {
		c.TracingConfig.Mode = in.TracingConfig.Mode
	}
	if in.SnapStart != nil {
		c.SnapStart.ApplyOn = in.SnapStart.ApplyOn
	}
	if in.DeadLetterConfig != nil {
		c.DeadLetterConfig = in.DeadLetterConfig
		if in.DeadLetterConfig.TargetArn == "" {
			c.DeadLetterConfig = nil
		}
	}
	if in.ImageConfig != nil {
		c.ImageConfigResponse = &imageConfigResponse{*in.ImageConfig}
	}
	for to, from := range map[*json.RawMessage]json.RawMessage{
		&c.VpcConfig: in.VpcConfig, &c.FileSystemConfigs: in.FileSystemConfigs,
	} {
		if from != nil {
			*to = from
		}
	}
	if in.LoggingConfig != nil {
		if no := c.LoggingConfig.take(*in.LoggingConfig); no != nil {
			return no
		}
	}
	if no := c.provide(in); no != nil {
		return no
	}
	if no := c.check(); no != nil {
		return no
	}
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) createFunction(c *call) (int, any, error) {
	var in struct {
		settings
		FunctionName  *string
		Code          *codeInput
		PackageType   string
		Architectures []string
		Publish       bool
		Tags          map[string]string
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	switch {
	case in.FunctionName == nil:
		return 0, nil, required("functionName")
	case in.Role == nil:
		return 0, nil, required("role")
	case in.Code == nil:
		return 0, nil, required("code")
	}
	t, no := parseTarget(*in.FunctionName, "")
	if no != nil {
		return 0, nil, no
	}
	if t.qualifier != "" {
		return 0, nil, unfit("functionName", *in.FunctionName, nameForm.String())
	}
	conf, err := newConfiguration(t, in.PackageType, in.Architectures)
	if err == nil {
		err = in.apply(&conf)
	}
	if err != nil {
		return 0, nil, err
	}
	if conf.PackageType == packageZip && (conf.Runtime == "" || conf.Handler == "") {
		return 0, nil, badParameter("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	code, no := in.Code.code(conf.PackageType)
	if no != nil {
		return 0, nil, no
	}
	v := &version{config: conf, header: latest}
	f := s.newFunction(t.name, v)
	for k, x := range in.Tags {
		f.tags[k] = x
	}
	if err := s.insert(f); err != nil {
		return 0, nil, err
	}
	out, err := s.open(f, v, code, in.Publish)
	if err != nil {
		s.drop(f)
		return 0, nil, err
	}
	return http.StatusCreated, out, nil
}

func newConfiguration(t target, packageType string, architectures []string) (Configuration, error) {
	if packageType == "" {
		packageType = packageZip
	}
	if packageType != packageZip && packageType != packageImage {
		return Configuration{}, unfit("packageType", packageType, "Zip|Image")
	}
	if len(architectures) == 0 {
		architectures = []string{architecture()}
	}
	if len(architectures) > 1 || architectures[0] != "x86_64" && architectures[0] != "arm64" {
		return Configuration{}, unfit("architectures", strings.Join(architectures, ","), "x86_64|arm64")
	}
	if architectures[0] != architecture() {
		return Configuration{}, badParameter("This machine runs %s, not %s", architecture(), architectures[0])
	}
	c := Configuration{
		FunctionName: t.name, FunctionArn: target{name: t.name}.arn(), PackageType: packageType, Architectures: architectures,
		Version: latestVersion, Timeout: 3, MemorySize: 128,
	}
	c.EphemeralStorage.Size, c.TracingConfig.Mode = 512, "PassThrough"
	c.LoggingConfig = defaultLogging(t.name)
	c.SnapStart = SnapStart{ApplyOn: snapNever, OptimizationStatus: "Off"}
	c.touch()
	c.pend()
	return c, nil
}

// insert takes a new function in, of which nothing can be invoked yet.
func (s *Service) insert(f *function) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.functions[f.name] != nil {
		return conflict("Function already exist: %s", f.name)
	}
	f.latest.busy = true
	s.functions[f.name] = f
	return nil
}

// drop takes a function out again.
func (s *Service) drop(f *function) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.functions[f.name] == f {
		delete(s.functions, f.name)
	}
}

// open makes code ready and, after the answer, lets the version be invoked with
// it. A zip's faults are the request's; an image may take long to come, so its
// faults are the version's state. It returns the configuration to answer with.
func (s *Service) open(f *function, v *version, code Code, publish bool) (Configuration, error) {
	code.Runtime, code.Handler = v.config.Runtime, v.config.Handler
	if code.Image != "" {
		s.mu.Lock()
		v.config.CodeSha256 = ""
		out := v.config
		s.mu.Unlock()
		s.tasks.Go(func() {
			img, err := s.config.Deployer.Open(s.ctx, code)
			s.opened(f, v, code, img, err, publish)
		})
		return out, nil
	}
	img, err := s.config.Deployer.Open(context.WithoutCancel(s.ctx), code)
	if err != nil {
		return Configuration{}, badParameter("%v", err)
	}
	return s.opened(f, v, code, img, nil, publish), nil
}

// opened takes the code of a version in, or why there is none. It returns the
// version as it was before it could be invoked.
func (s *Service) opened(f *function, v *version, code Code, img image.Image, err error, publish bool) Configuration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.functions[f.name] != f || s.closed {
		return v.config // deleted meanwhile
	}
	if err != nil {
		v.config.fail(codeImage, err)
		v.busy = false
		return v.config
	}
	v.config.CodeSha256, v.config.CodeSize = digest(code, img), img.Bytes
	if code.Zip != nil {
		v.config.CodeSize = int64(len(code.Zip))
	}
	v.reference, v.opened, v.image = code.Image, img, v.config.command(img)
	before := v.config
	s.activate(v)
	if publish {
		before = s.release(f, s.publish(f, nil))
	}
	return before
}

// command is an image with the program that the configuration asks for.
func (c *Configuration) command(img image.Image) image.Image {
	if c.PackageType != packageImage || c.ImageConfigResponse == nil {
		return img
	}
	over := c.ImageConfigResponse.ImageConfig
	if len(over.EntryPoint) > 0 {
		img.Argv = over.EntryPoint
	}
	if len(over.Command) > 0 {
		if len(over.EntryPoint) > 0 {
			img.Argv = append(append([]string{}, over.EntryPoint...), over.Command...)
		}
		img.Handler = over.Command[0]
	}
	if over.WorkingDirectory != "" {
		img.Dir = over.WorkingDirectory
	}
	return img
}

// digest is what CodeSha256 shows: of a zip as given, of an image its digest.
func digest(c Code, img image.Image) string {
	if c.Zip != nil {
		sum := sha256.Sum256(c.Zip)
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	_, d, _ := strings.Cut(img.Digest, ":")
	if b, err := hex.DecodeString(d); err == nil && c.Image == "" {
		return base64.StdEncoding.EncodeToString(b)
	}
	return d
}
