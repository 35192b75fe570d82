package invoke

import (
	"net/http"
	"slices"
	"strconv"

	"coldstorm/runtime/api"
	"coldstorm/runtime/image"
	"coldstorm/runtime/plane"
)

// function is all that the account knows of one. Guarded by Service.mu.
type function struct {
	name     string
	latest   *version
	versions []*version // published, ascending
	last     int        // number of the last one published
	aliases  map[string]*Alias
	tags     map[string]string
	policies map[string]*policy // by qualifier, as are the next three; "" is the function's own
	events   map[string]*EventInvokeConfig
	urls     map[string]*functionURL
	provided map[string]*provision
	scaleOut *plane.ScaleOut // of all its versions
}

// version is what is invoked: a configuration, its code and its environments.
type version struct {
	config     Configuration
	reference  string      // to the image that it was made from; empty for a zip
	opened     image.Image // its code
	image      image.Image // the same with the program that the configuration asks for
	deployment *deployment // nil until it can be invoked
	busy       bool        // an update is being carried out, or a snapshot taken
	restored   bool        // image is a snapshot, from which environments are restored
	header     []string    // the version's number
}

func (s *Service) newFunction(name string, v *version) *function {
	e := s.config.Environment
	return &function{
		name: name, latest: v, aliases: map[string]*Alias{}, tags: map[string]string{}, policies: map[string]*policy{},
		events: map[string]*EventInvokeConfig{}, urls: map[string]*functionURL{}, provided: map[string]*provision{}, scaleOut: plane.NewScaleOut(e.ScaleOutBurst, e.ScaleOutRate),
	}
}

// version is $LATEST or a published one; nil if there is none of that number.
func (f *function) version(number string) *version {
	if number == "" || number == latestVersion {
		return f.latest
	}
	for _, v := range f.versions {
		if v.config.Version == number {
			return v
		}
	}
	return nil
}

// route is the version that serves a qualifier: of an alias with a routing
// configuration, one by its weight (AWS documentation: "Weighted aliases").
func (f *function) route(qualifier string, random func() float64) *version {
	a := f.aliases[qualifier]
	if a == nil {
		return f.version(qualifier)
	}
	if a.RoutingConfig != nil && len(a.RoutingConfig.AdditionalVersionWeights) > 0 {
		x := random()
		for number, weight := range a.RoutingConfig.AdditionalVersionWeights {
			if x < weight {
				return f.version(number)
			}
			x -= weight
		}
	}
	return f.version(a.FunctionVersion)
}

// resolve is route for what isn't an invocation: of an alias its main version.
func (f *function) resolve(qualifier string) *version {
	if a := f.aliases[qualifier]; a != nil {
		return f.version(a.FunctionVersion)
	}
	return f.version(qualifier)
}

func (f *function) all() []*version { return append([]*version{f.latest}, f.versions...) }

func (f *function) deployments() (all []*deployment) {
	for _, v := range f.all() {
		if v.deployment != nil {
			all = append(all, v.deployment)
		}
	}
	return all
}

// publish makes a version of what is $LATEST, unless nothing has changed since
// the last (AWS API reference: PublishVersion).
func (s *Service) publish(f *function, description *string) *version {
	if n := len(f.versions); n > 0 {
		last := f.versions[n-1]
		if last.config.CodeSha256 == f.latest.config.CodeSha256 && last.config.LastModified == f.latest.config.LastModified {
			return last
		}
	}
	f.last++
	v := *f.latest
	v.deployment, v.busy = nil, false
	v.config.Version = strconv.Itoa(f.last)
	v.config.FunctionArn = target{f.name, v.config.Version}.arn()
	v.config.RevisionID = newID()
	v.header = []string{v.config.Version}
	if description != nil {
		v.config.Description = *description
	}
	v.config.pend()
	f.versions = append(f.versions, &v)
	return &v
}

// activate lets a version be invoked. The caller holds the lock.
func (s *Service) activate(v *version) {
	old := v.deployment
	v.deployment = &deployment{function: s.config.Deployer.Deploy(v.image, s.live(v))}
	v.config.activate()
	v.busy = false
	s.retire(old)
}

// unready is the error of an invocation of a version that has no environments
// yet.
func (v *version) unready() *serviceError {
	if v.config.State == "Pending" && v.config.Version != latestVersion && v.config.SnapStart.ApplyOn == snapPublished {
		return &errSnapshot
	}
	return &serviceError{http.StatusConflict, "ResourceConflictException", user(
		"The operation cannot be performed at this time. The function is currently in the following state: " + v.config.State)}
}

// inUse lists the aliases that lead to a version.
func (f *function) inUse(number string) (names []string) {
	for name, a := range f.aliases {
		_, weighted := a.weights()[number]
		if a.FunctionVersion == number || weighted {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func newID() string { return api.NewID() }
