package invoke

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
)

// policy is a resource-based policy. It is stored and shown; nothing is checked
// against it, since requests are not authenticated.
type policy struct {
	revision   string
	statements []statement
}

type statement struct {
	Sid, Effect string
	Principal   any
	Action      string
	Resource    string
	Condition   map[string]any `json:",omitempty"`
}

func (s *Service) addPermission(c *call) (int, any, error) {
	var in struct {
		StatementID   *string `json:"StatementId"`
		Action        *string
		Principal     *string
		SourceArn     string
		SourceAccount string
		RevisionID    string `json:"RevisionId"`

		FunctionUrlAuthType string //nolint:revive // the API's name
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	switch {
	case in.StatementID == nil:
		return 0, nil, required("statementId")
	case in.Action == nil:
		return 0, nil, required("action")
	case in.Principal == nil:
		return 0, nil, required("principal")
	}
	st := statement{Sid: *in.StatementID, Effect: "Allow", Action: *in.Action, Condition: map[string]any{}}
	switch p := *in.Principal; {
	case p == "*":
		st.Principal = "*"
	case strings.Contains(p, "."):
		st.Principal = map[string]string{"Service": p}
	default:
		st.Principal = map[string]string{"AWS": p}
	}
	if in.SourceArn != "" {
		st.Condition["ArnLike"] = map[string]string{"AWS:SourceArn": in.SourceArn}
	}
	equals := map[string]string{}
	if in.SourceAccount != "" {
		equals["AWS:SourceAccount"] = in.SourceAccount
	}
	if in.FunctionUrlAuthType != "" {
		equals["lambda:FunctionUrlAuthType"] = in.FunctionUrlAuthType
	}
	if len(equals) > 0 {
		st.Condition["StringEquals"] = equals
	}
	err := s.look(c, func(t target, f *function, _ *version) error {
		p := f.policies[t.key()]
		if p == nil {
			p = &policy{}
		}
		if in.RevisionID != "" && in.RevisionID != p.revision {
			return stale()
		}
		for _, x := range p.statements {
			if x.Sid == st.Sid {
				return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.Sid)
			}
		}
		st.Resource = t.arn()
		p.statements, p.revision = append(p.statements, st), newID()
		f.policies[t.key()] = p
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	b, err := json.Marshal(st)
	return http.StatusCreated, map[string]string{"Statement": string(b)}, err
}

// policy finds the one that a call is about, and calls do under the lock.
func (s *Service) policy(c *call, do func(p *policy) error) error {
	return s.look(c, func(t target, f *function, _ *version) error {
		p := f.policies[t.key()]
		if p == nil || len(p.statements) == 0 {
			return missing("The resource you requested does not exist.")
		}
		return do(p)
	})
}

func (s *Service) getPolicy(c *call) (int, any, error) {
	var out struct{ Policy, RevisionId string } //nolint:revive // the API's name
	err := s.policy(c, func(p *policy) error {
		b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Id": "default", "Statement": p.statements})
		out.Policy, out.RevisionId = string(b), p.revision
		return err
	})
	return http.StatusOK, out, err
}

func (s *Service) removePermission(c *call) (int, any, error) {
	err := s.policy(c, func(p *policy) error {
		for i, x := range p.statements {
			if x.Sid == c.parameters[1] {
				p.statements, p.revision = append(p.statements[:i:i], p.statements[i+1:]...), newID()
				return nil
			}
		}
		return missing("Statement %s is not found in resource policy.", c.parameters[1])
	})
	return http.StatusNoContent, nil, err
}

func (s *Service) tagResource(c *call) (int, any, error) {
	var in struct{ Tags map[string]string }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	err := s.look(c, func(_ target, f *function, _ *version) error {
		maps.Copy(f.tags, in.Tags)
		return nil
	})
	return http.StatusNoContent, nil, err
}

func (s *Service) untagResource(c *call) (int, any, error) {
	err := s.look(c, func(_ target, f *function, _ *version) error {
		for _, k := range c.request.URL.Query()["tagKeys"] {
			delete(f.tags, k)
		}
		return nil
	})
	return http.StatusNoContent, nil, err
}

func (s *Service) listTags(c *call) (int, any, error) {
	out := map[string]string{}
	err := s.look(c, func(_ target, f *function, _ *version) error {
		maps.Copy(out, f.tags)
		return nil
	})
	return http.StatusOK, map[string]any{"Tags": out}, err
}
