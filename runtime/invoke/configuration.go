package invoke

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"coldstorm/runtime/live"
)

// Configuration is a version's, as the API shows it (AWS API reference:
// FunctionConfiguration). What is a json.RawMessage is stored and shown, and has
// no effect here.
type Configuration struct {
	FunctionName  string
	FunctionArn   string
	Runtime       string `json:",omitempty"`
	Role          string
	Handler       string `json:",omitempty"`
	CodeSize      int64
	Description   string
	Timeout       int // seconds
	MemorySize    int // MB
	LastModified  string
	CodeSha256    string
	Version       string
	Environment   *Environment `json:",omitempty"`
	PackageType   string
	Architectures []string
	RevisionID    string `json:"RevisionId"`

	State                      string `json:",omitempty"`
	StateReason                string `json:",omitempty"`
	StateReasonCode            string `json:",omitempty"`
	LastUpdateStatus           string `json:",omitempty"`
	LastUpdateStatusReason     string `json:",omitempty"`
	LastUpdateStatusReasonCode string `json:",omitempty"`

	EphemeralStorage    struct{ Size int } // MB
	TracingConfig       struct{ Mode string }
	SnapStart           SnapStart
	LoggingConfig       LoggingConfig
	VpcConfig           json.RawMessage             `json:",omitempty"`
	FileSystemConfigs   json.RawMessage             `json:",omitempty"`
	KMSKeyArn           string                      `json:",omitempty"`
	DeadLetterConfig    *struct{ TargetArn string } `json:",omitempty"`
	ImageConfigResponse *imageConfigResponse        `json:",omitempty"`

	CapacityProviderConfig *CapacityProvider `json:",omitempty"` // nil: Lambda's own environments
}

// Environment holds a function's variables.
type Environment struct{ Variables map[string]string }

// ImageConfig overrides what an image says of its program.
type ImageConfig struct {
	EntryPoint, Command []string `json:",omitempty"`
	WorkingDirectory    string   `json:",omitempty"`
}

type imageConfigResponse struct{ ImageConfig ImageConfig }

// pend marks a version that is being created.
func (c *Configuration) pend() {
	c.State, c.StateReason, c.StateReasonCode = "Pending", "The function is being created.", "Creating"
}

// activate marks a version that can be invoked.
func (c *Configuration) activate() {
	c.State, c.StateReason, c.StateReasonCode = "Active", "", ""
	c.LastUpdateStatus, c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = "Successful", "", ""
}

// update marks a version that is being changed.
func (c *Configuration) update() {
	c.LastUpdateStatus, c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = "InProgress", "The function is being created.", "Creating"
	c.touch()
}

func (c *Configuration) touch() { c.LastModified, c.RevisionID = now(), newID() }

// What a version fails by (AWS API reference: StateReasonCode).
const (
	codeImage    = "InvalidImage"
	codeFunction = "FunctionError"
)

// fail marks a version that can't be invoked, or not as it was changed to be.
func (c *Configuration) fail(code string, why error) {
	if c.State == "Active" {
		c.LastUpdateStatus, c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = "Failed", why.Error(), code
		return
	}
	c.State, c.StateReason, c.StateReasonCode = "Failed", why.Error(), code
	c.LastUpdateStatus = ""
}

// live is what a version's environments are started with. Limits on concurrency
// are the account's matter.
func (s *Service) live(v *version) live.Config {
	c := s.config.Environment
	c.Name, c.Version = v.config.FunctionName, v.config.Version
	c.Handler = v.config.Handler
	if c.Handler == "" {
		c.Handler = v.image.Handler
	}
	c.Container, c.ImageEnv = v.config.PackageType == packageImage, v.image.Env
	c.MemoryMB, c.Timeout = v.config.MemorySize, time.Duration(v.config.Timeout)*time.Second
	c.EphemeralMB, c.Runtime = v.config.EphemeralStorage.Size, v.config.Runtime
	c.LogFormat, c.LogLevel = v.config.LoggingConfig.LogFormat, v.config.LoggingConfig.ApplicationLogLevel
	c.SystemLogLevel, c.LogGroup = v.config.LoggingConfig.SystemLogLevel, v.config.LoggingConfig.LogGroup
	c.Concurrency, c.RequestRate, c.SnapStart = -1, -1, v.restored
	v.config.manage(&c)
	if f := s.functions[v.config.FunctionName]; f != nil {
		c.ScaleOut = f.scaleOut
	}
	if c.ProvisionedRate = s.config.Account.RequestRate; c.ProvisionedRate == 0 {
		c.ProvisionedRate = 10
	}
	if e := v.config.Environment; e != nil {
		c.Env = maps.Clone(e.Variables)
	}
	return c
}

const (
	packageZip   = "Zip"
	packageImage = "Image"
)

// reservedVariables can't be set by a function (AWS documentation: "Defined
// runtime environment variables").
var reservedVariables = map[string]bool{
	"_HANDLER": true, "_X_AMZN_TRACE_ID": true, "AWS_DEFAULT_REGION": true, "AWS_REGION": true, "AWS_EXECUTION_ENV": true,
	"AWS_LAMBDA_FUNCTION_NAME": true, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": true, "AWS_LAMBDA_FUNCTION_VERSION": true,
	"AWS_LAMBDA_INITIALIZATION_TYPE": true, "AWS_LAMBDA_LOG_GROUP_NAME": true, "AWS_LAMBDA_LOG_STREAM_NAME": true,
	"AWS_ACCESS_KEY": true, "AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true, "AWS_SESSION_TOKEN": true,
	"AWS_LAMBDA_RUNTIME_API": true, "AWS_LAMBDA_MAX_CONCURRENCY": true, "LAMBDA_TASK_ROOT": true, "LAMBDA_RUNTIME_DIR": true,
}

// maxVariables bounds a function's variables in bytes (AWS Lambda quotas).
const maxVariables = 4 << 10

// check finds a value that is out of its bounds (AWS Lambda quotas).
func (c *Configuration) check() *serviceError {
	size := 0
	var reserved []string
	if c.Environment != nil {
		for k, v := range c.Environment.Variables {
			if size += len(k) + len(v); reservedVariables[k] {
				reserved = append(reserved, k)
			}
		}
	}
	if no := c.SnapStart.check(); no != nil {
		return no
	}
	switch {
	case c.MemorySize < 128 || c.MemorySize > 10240:
		return outOfRange("MemorySize", c.MemorySize, 128, 10240)
	case c.Timeout < 1 || c.Timeout > 900:
		return outOfRange("Timeout", c.Timeout, 1, 900)
	case c.EphemeralStorage.Size < 512 || c.EphemeralStorage.Size > 10240:
		return outOfRange("EphemeralStorage.Size", c.EphemeralStorage.Size, 512, 10240)
	case len(reserved) > 0:
		return invalid("InvalidParameterValueException", "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "+strings.Join(reserved, ", "))
	case size > maxVariables:
		return invalid("InvalidParameterValueException", "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.")
	}
	return nil
}
