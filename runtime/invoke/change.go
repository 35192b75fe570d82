package invoke

import (
	"net/http"
	"strings"

	"coldstorm/runtime/image"
)

// errClosed is what callers get while the service stops.
var errClosed = &serviceError{http.StatusServiceUnavailable, "ServiceUnavailableException", map[string]string{
	"Type": "Service", "Message": "The service is shutting down.",
}}

// alter finds the $LATEST of a call's function that no other call is changing,
// and whose revision is the one that the caller knows, if it named one. The
// caller holds the lock.
func alter(t target, f *function, revision string) (*version, error) {
	v := f.latest
	switch {
	case t.qualifier != "" && t.qualifier != latestVersion:
		return nil, badParameter("A published version can't be changed")
	case v.busy || v.config.State == "Pending":
		return nil, conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", v.config.FunctionArn)
	case revision != "" && revision != v.config.RevisionID:
		return nil, stale()
	}
	return v, nil
}

func (s *Service) updateCode(c *call) (int, any, error) {
	var in struct {
		codeInput
		Architectures   []string
		Publish, DryRun bool
		RevisionID      string `json:"RevisionId"`
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	var owner *function
	var v *version
	var code Code
	err := s.look(c, func(t target, f *function, _ *version) (err error) {
		if v, err = alter(t, f, in.RevisionID); err != nil {
			return err
		}
		var no *serviceError
		if code, no = in.code(v.config.PackageType); no != nil {
			return no
		}
		if len(in.Architectures) > 0 && in.Architectures[0] != architecture() {
			return badParameter("This machine runs %s, not %s", architecture(), in.Architectures[0])
		}
		owner = f
		v.busy = true
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	if in.DryRun {
		return s.tryCode(v, code)
	}
	s.mu.Lock()
	before := v.config
	v.config.update()
	s.mu.Unlock()
	out, err := s.open(owner, v, code, in.Publish)
	if err != nil {
		s.mu.Lock()
		v.config, v.busy = before, false
		s.mu.Unlock()
		return 0, nil, err
	}
	return http.StatusOK, out, nil
}

// tryCode says what an update would come to.
func (s *Service) tryCode(v *version, code Code) (int, any, error) {
	img, err := s.config.Deployer.Open(s.ctx, code)
	s.mu.Lock()
	defer s.mu.Unlock()
	v.busy = false
	if err != nil {
		return 0, nil, badParameter("%v", err)
	}
	out := v.config
	out.CodeSha256, out.CodeSize = digest(code, img), int64(len(code.Zip))
	return http.StatusOK, out, nil
}

func (s *Service) updateConfiguration(c *call) (int, any, error) {
	var in settings
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	var out Configuration
	err := s.look(c, func(t target, f *function, _ *version) error {
		v, err := alter(t, f, in.RevisionID)
		if err != nil {
			return err
		}
		changed := v.config
		if err := in.apply(&changed); err != nil {
			return err
		}
		changed.update()
		v.config = changed
		v.image = v.config.command(v.opened)
		out = v.config
		if v.deployment != nil {
			s.activate(v)
		}
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) deleteFunction(c *call) (int, any, error) {
	err := s.look(c, func(t target, f *function, v *version) error {
		switch t.qualifier {
		case "":
			s.remove(f)
			return nil
		case latestVersion:
			return badParameter("$LATEST version cannot be deleted without deleting the function.")
		}
		if f.aliases[t.qualifier] != nil {
			return badParameter("Deletion of aliases is not currently supported.")
		}
		if used := f.inUse(t.qualifier); len(used) > 0 {
			return conflict("Unable to delete version because the following aliases reference it: [%s]", strings.Join(used, ", "))
		}
		for i := range f.versions {
			if f.versions[i] == v {
				f.versions = append(f.versions[:i:i], f.versions[i+1:]...)
				break
			}
		}
		s.retire(v.deployment)
		return nil
	})
	return http.StatusOK, struct{}{}, err
}

// remove takes a function out with all that belongs to it. The caller holds the
// lock.
func (s *Service) remove(f *function) {
	delete(s.functions, f.name)
	for _, d := range f.deployments() {
		s.retire(d)
	}
	for _, u := range f.urls {
		delete(s.urls, u.id)
	}
	s.gate.Lock()
	s.account.Release(f.name)
	s.gate.Unlock()
}

// Add takes in a function whose image is open already: one that whoever started
// the service named. Settings that are zero are CreateFunction's defaults; with
// perEnvironment, the function has a capacity provider by which an environment takes so
// many invocations at once.
func (s *Service) Add(name string, img image.Image, memoryMB, timeoutSeconds, perEnvironment int, env map[string]string) error {
	t, no := parseTarget(name, "")
	if no != nil {
		return no
	}
	kind := packageZip
	if img.Kind == image.KindContainer {
		kind = packageImage
	}
	conf, err := newConfiguration(t, kind, nil)
	if err != nil {
		return err
	}
	conf.Role, conf.Runtime, conf.Handler = "arn:aws:iam::123456789012:role/local", "provided.al2023", img.Handler
	if kind == packageImage {
		conf.Runtime = ""
	}
	in := settings{}
	if memoryMB != 0 {
		in.MemorySize = &memoryMB
	}
	if timeoutSeconds != 0 {
		in.Timeout = &timeoutSeconds
	}
	if perEnvironment != 0 {
		in.CapacityProviderConfig = &CapacityProvider{&managedInstances{CapacityProviderArn: localProvider, PerExecutionEnvironmentMaxConcurrency: perEnvironment}}
	}
	if env != nil {
		in.Environment = &Environment{env}
	}
	if err := in.apply(&conf); err != nil {
		return err
	}
	f := s.newFunction(t.name, &version{config: conf, header: latest})
	if err := s.insert(f); err != nil {
		return err
	}
	s.opened(f, f.latest, Code{}, img, nil, false)
	return nil
}
