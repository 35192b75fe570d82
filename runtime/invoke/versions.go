package invoke

import (
	"cmp"
	"net/http"
	"slices"
)

func (s *Service) publishVersion(c *call) (int, any, error) {
	var in struct {
		CodeSha256  string
		Description *string
		RevisionID  string `json:"RevisionId"`
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	var out Configuration
	err := s.look(c, func(t target, f *function, _ *version) error {
		v, err := alter(t, f, in.RevisionID)
		switch {
		case err != nil:
			return err
		case v.deployment == nil:
			return v.unready()
		case in.CodeSha256 != "" && in.CodeSha256 != v.config.CodeSha256:
			return badParameter("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", in.CodeSha256, v.config.CodeSha256)
		}
		out = s.release(f, s.publish(f, in.Description))
		return nil
	})
	return http.StatusCreated, out, err
}

func (s *Service) listVersions(c *call) (int, any, error) {
	var all []Configuration
	err := s.look(c, func(_ target, f *function, _ *version) error {
		for _, v := range f.all() {
			all = append(all, v.config)
		}
		all[0].FunctionArn = target{f.name, latestVersion}.arn()
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	some, next, err := page(c, maxPage, all, func(c Configuration) string { return "v" + sortable(c.Version) })
	return http.StatusOK, struct {
		Versions   []Configuration
		NextMarker string `json:",omitempty"`
	}{some, next}, err
}

// Alias is a name for a version (AWS API reference: AliasConfiguration).
type Alias struct {
	AliasArn        string
	Name            string
	FunctionVersion string
	Description     string
	RoutingConfig   *Routing `json:",omitempty"`
	RevisionID      string   `json:"RevisionId"`
}

// Routing sends a share of an alias's invocations, from 0 to 1, to another
// version.
type Routing struct {
	AdditionalVersionWeights map[string]float64
}

func (a *Alias) weights() map[string]float64 {
	if a.RoutingConfig == nil {
		return nil
	}
	return a.RoutingConfig.AdditionalVersionWeights
}

type aliasInput struct {
	Name, FunctionVersion, Description *string
	RoutingConfig                      *Routing
	RevisionID                         string `json:"RevisionId"`
}

// apply changes an alias of f. The caller holds the lock.
func (in aliasInput) apply(a *Alias, f *function) error {
	set(&a.FunctionVersion, in.FunctionVersion)
	set(&a.Description, in.Description)
	if in.RoutingConfig != nil {
		a.RoutingConfig = in.RoutingConfig
		if len(in.RoutingConfig.AdditionalVersionWeights) == 0 {
			a.RoutingConfig = nil
		}
	}
	if f.version(a.FunctionVersion) == nil || a.FunctionVersion == "" {
		return target{f.name, a.FunctionVersion}.notFound()
	}
	if len(a.weights()) > 1 {
		return badParameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for number, weight := range a.weights() {
		switch {
		case weight < 0 || weight > 1:
			return badParameter("Invalid weight %g of version %s: want 0 to 1", weight, number)
		case a.FunctionVersion == latestVersion || !numberForm.MatchString(number):
			return badParameter("$LATEST is not supported for an alias pointing to more than 1 version")
		case number == a.FunctionVersion:
			return badParameter("Invalid function version %s. Function version %s is already included in routing configuration.", number, number)
		case f.version(number) == nil:
			return target{f.name, number}.notFound()
		}
	}
	a.RevisionID = newID()
	return nil
}

func (s *Service) createAlias(c *call) (int, any, error) {
	var in aliasInput
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	switch {
	case in.Name == nil:
		return 0, nil, required("name")
	case in.FunctionVersion == nil:
		return 0, nil, required("functionVersion")
	case !qualifierForm.MatchString(*in.Name) || numberForm.MatchString(*in.Name) || *in.Name == latestVersion:
		return 0, nil, unfit("name", *in.Name, "(?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	}
	var out Alias
	err := s.look(c, func(t target, f *function, _ *version) error {
		arn := target{f.name, *in.Name}.arn()
		if f.aliases[*in.Name] != nil {
			return conflict("Alias already exists: %s", arn)
		}
		a := Alias{Name: *in.Name, AliasArn: arn}
		if err := in.apply(&a, f); err != nil {
			return err
		}
		f.aliases[a.Name], out = &a, a
		return nil
	})
	return http.StatusCreated, out, err
}

// alias finds the one that a call's path names, and calls do under the lock.
func (s *Service) alias(c *call, do func(f *function, a *Alias) error) error {
	return s.look(c, func(_ target, f *function, _ *version) error {
		a := f.aliases[c.parameters[1]]
		if a == nil {
			return missing("Cannot find alias arn: %s", target{f.name, c.parameters[1]}.arn())
		}
		return do(f, a)
	})
}

func (s *Service) getAlias(c *call) (int, any, error) {
	var out Alias
	err := s.alias(c, func(_ *function, a *Alias) error {
		out = *a
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) updateAlias(c *call) (int, any, error) {
	var in aliasInput
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	var out Alias
	err := s.alias(c, func(f *function, a *Alias) error {
		if in.RevisionID != "" && in.RevisionID != a.RevisionID {
			return stale()
		}
		out = *a
		if err := in.apply(&out, f); err != nil {
			return err
		}
		changed := out
		f.aliases[a.Name] = &changed
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) deleteAlias(c *call) (int, any, error) {
	err := s.look(c, func(_ target, f *function, _ *version) error {
		delete(f.aliases, c.parameters[1]) // one that isn't there is as good as deleted
		return nil
	})
	return http.StatusNoContent, nil, err
}

func (s *Service) listAliases(c *call) (int, any, error) {
	var all []Alias
	err := s.look(c, func(_ target, f *function, _ *version) error {
		for _, a := range f.aliases {
			if v := c.query("FunctionVersion"); v == "" || v == a.FunctionVersion {
				all = append(all, *a)
			}
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	slices.SortFunc(all, func(a, b Alias) int { return cmp.Compare(a.Name, b.Name) })
	some, next, err := page(c, maxPage, all, func(a Alias) string { return a.Name })
	return http.StatusOK, struct {
		Aliases    []Alias
		NextMarker string `json:",omitempty"`
	}{some, next}, err
}
