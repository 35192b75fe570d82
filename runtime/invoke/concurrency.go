package invoke

import (
	"cmp"
	"net/http"
	"slices"
)

// concurrency is a reservation as the API shows it.
type concurrency struct {
	ReservedConcurrentExecutions int
}

func (s *Service) reserved(name string) (n int, own bool) {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.account.Reserved(name)
}

func (s *Service) putConcurrency(c *call) (int, any, error) {
	var in struct{ ReservedConcurrentExecutions *int }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.ReservedConcurrentExecutions == nil {
		return 0, nil, required("reservedConcurrentExecutions")
	}
	n := *in.ReservedConcurrentExecutions
	if n < 0 {
		return 0, nil, outOfRange("reservedConcurrentExecutions", n, 0, 1<<31-1)
	}
	err := s.look(c, func(t target, f *function, _ *version) error {
		if provided := f.provisioned(); n < provided {
			return badParameter("Requested ReservedConcurrentExecutions (%d) should be greater than or equal to the function's allocated provisioned concurrency (%d)", n, provided)
		}
		s.gate.Lock()
		defer s.gate.Unlock()
		if err := s.account.Reserve(f.name, n); err != nil {
			return badParameter("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", s.account.MinUnreserved())
		}
		return nil
	})
	return http.StatusOK, concurrency{n}, err
}

func (s *Service) getConcurrency(c *call) (int, any, error) {
	var out any = struct{}{}
	err := s.look(c, func(_ target, f *function, _ *version) error {
		if n, own := s.reserved(f.name); own {
			out = concurrency{n}
		}
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) deleteConcurrency(c *call) (int, any, error) {
	err := s.look(c, func(_ target, f *function, _ *version) error {
		s.gate.Lock()
		defer s.gate.Unlock()
		s.account.Release(f.name)
		return nil
	})
	return http.StatusNoContent, nil, err
}

// provision is an allocation of provisioned concurrency to a version or alias.
type provision struct {
	version  *version
	want     int
	modified string
}

// provisioned is what all of a function's versions and aliases have been
// promised.
func (f *function) provisioned() (sum int) {
	for _, p := range f.provided {
		sum += p.want
	}
	return sum
}

// provisionShown is an allocation as the API shows it.
type provisionShown struct {
	FunctionArn string `json:",omitempty"`

	RequestedProvisionedConcurrentExecutions int
	AvailableProvisionedConcurrentExecutions int
	AllocatedProvisionedConcurrentExecutions int
	Status                                   string
	StatusReason                             string `json:",omitempty"`
	LastModified                             string
}

// A Provisioner is a Deployed function that can keep environments ready.
type Provisioner interface {
	// Provision starts so many environments and keeps them ready.
	Provision(n int)
	// Provisioned says how many of them are ready, and how many have failed.
	Provisioned() (ready, failed int)
}

func (p *provision) shown(arn string) provisionShown {
	x := provisionShown{
		FunctionArn: arn, RequestedProvisionedConcurrentExecutions: p.want, Status: "IN_PROGRESS", LastModified: p.modified,
	}
	ready, failed := 0, 0
	if d := p.version.deployment; d != nil {
		if f, ok := d.function.(Provisioner); ok {
			ready, failed = f.Provisioned()
		}
	}
	x.AllocatedProvisionedConcurrentExecutions = ready
	switch {
	case ready >= p.want:
		x.Status, x.AvailableProvisionedConcurrentExecutions = "READY", ready
	case failed > 0:
		x.Status, x.StatusReason = "FAILED", "FUNCTION_ERROR_INIT_FAILURE"
	}
	return x
}

func (s *Service) putProvisioned(c *call) (int, any, error) {
	var in struct{ ProvisionedConcurrentExecutions *int }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.ProvisionedConcurrentExecutions == nil || *in.ProvisionedConcurrentExecutions < 1 {
		return 0, nil, required("provisionedConcurrentExecutions")
	}
	var out provisionShown
	err := s.look(c, func(t target, f *function, v *version) error {
		n := *in.ProvisionedConcurrentExecutions
		if t.qualifier == "" || v == f.latest {
			return badParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
		}
		if v.config.SnapStart.ApplyOn == snapPublished {
			return badParameter("Provisioned Concurrency is not supported for SnapStart enabled functions.")
		}
		if v.config.managed() {
			return badParameter("Provisioned Concurrency is not supported for functions with a CapacityProviderConfig.")
		}
		others := f.provisioned()
		if old := f.provided[t.qualifier]; old != nil {
			others -= old.want
		}
		for q, p := range f.provided {
			if q != t.qualifier && p.version == v {
				return conflict("Provisioned Concurrency Config is already applied to this version, by %s", target{f.name, q}.arn())
			}
		}
		if why := s.spare(f.name, others+n); why != "" {
			return badParameter("%s", why)
		}
		p := &provision{version: v, want: n, modified: now()}
		f.provided[t.qualifier] = p
		s.provide(v, n)
		out = p.shown("")
		out.Status, out.AvailableProvisionedConcurrentExecutions = "IN_PROGRESS", 0
		return nil
	})
	return http.StatusAccepted, out, err
}

// spare says why so much can't be provisioned for a function; empty if it can.
func (s *Service) spare(name string, n int) string {
	s.gate.Lock()
	defer s.gate.Unlock()
	if own, reserved := s.account.Reserved(name); reserved {
		if n > own {
			return "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
		}
		return ""
	}
	if n > s.account.Unreserved()-s.account.MinUnreserved() {
		return "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value."
	}
	return ""
}

// provide keeps n environments of a version ready. Its deployment is another one
// then, into which the traffic goes. The caller holds the lock.
func (s *Service) provide(v *version, n int) {
	if v.deployment == nil {
		return
	}
	s.activate(v)
	if f, ok := v.deployment.function.(Provisioner); ok && n > 0 {
		f.Provision(n)
	}
}

func (s *Service) provision(c *call, do func(f *function, p *provision, t target) error) error {
	return s.look(c, func(t target, f *function, _ *version) error {
		p := f.provided[t.qualifier]
		if p == nil {
			return &serviceError{http.StatusNotFound, "ProvisionedConcurrencyConfigNotFoundException", user("No Provisioned Concurrency Config found for this function")}
		}
		return do(f, p, t)
	})
}

func (s *Service) getProvisioned(c *call) (int, any, error) {
	if c.query("List") == "ALL" {
		return s.listProvisioned(c)
	}
	var out provisionShown
	err := s.provision(c, func(_ *function, p *provision, _ target) error {
		out = p.shown("")
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) deleteProvisioned(c *call) (int, any, error) {
	err := s.provision(c, func(f *function, p *provision, t target) error {
		delete(f.provided, t.qualifier)
		s.provide(p.version, 0)
		return nil
	})
	return http.StatusNoContent, nil, err
}

func (s *Service) listProvisioned(c *call) (int, any, error) {
	var all []provisionShown
	err := s.look(c, func(_ target, f *function, _ *version) error {
		for q, p := range f.provided {
			all = append(all, p.shown(target{f.name, q}.arn()))
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	key := func(p provisionShown) string { return p.FunctionArn }
	slices.SortFunc(all, func(a, b provisionShown) int { return cmp.Compare(key(a), key(b)) })
	some, next, err := page(c, maxPage, all, key)
	return http.StatusOK, struct {
		ProvisionedConcurrencyConfigs []provisionShown
		NextMarker                    string `json:",omitempty"`
	}{some, next}, err
}
