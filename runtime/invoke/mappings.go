package invoke

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Sources are told of event source mappings: what polls them.
type Sources interface {
	// Map begins or changes a mapping, by its UUID. Settings are as the API shows
	// them (AWS API reference: EventSourceMappingConfiguration).
	Map(uuid string, settings map[string]any)
	// Unmap ends it.
	Unmap(uuid string)
}

// mapping is an event source mapping: what was asked for, and what is added to
// that. Guarded by Service.mu.
type mapping struct {
	function string // name
	settings map[string]any
}

// shown is a copy.
func (m *mapping) shown() map[string]any { return maps.Clone(m.settings) }

// take changes the settings to those of a request.
func (s *Service) take(c *call, m *mapping) (t target, err error) {
	var in map[string]any
	if err := c.decode(&in); err != nil {
		return t, err
	}
	name, _ := in["FunctionName"].(string)
	if name == "" && m.function == "" {
		return t, required("functionName")
	}
	if name != "" {
		var no *serviceError
		if t, no = parseTarget(name, ""); no != nil {
			return t, no
		}
		f := s.functions[t.name]
		if f == nil || f.resolve(t.qualifier) == nil {
			return t, t.notFound()
		}
		m.function = t.name
		m.settings["FunctionArn"] = t.arn()
	}
	enabled, given := in["Enabled"].(bool)
	delete(in, "Enabled")
	delete(in, "FunctionName")
	maps.Copy(m.settings, in)
	if given || m.settings["State"] == nil {
		m.settings["State"] = "Enabled"
		if given && !enabled {
			m.settings["State"] = "Disabled"
		}
	}
	m.settings["LastModified"] = float64(time.Now().UnixMilli()) / 1000
	m.settings["StateTransitionReason"] = "USER_INITIATED"
	return t, nil
}

func (s *Service) createMapping(c *call) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := newID()
	m := &mapping{settings: map[string]any{
		"UUID": id, "EventSourceMappingArn": "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:" + id,
		"BatchSize": json.Number("10"), "MaximumBatchingWindowInSeconds": json.Number("0"),
	}}
	if _, err := s.take(c, m); err != nil {
		return 0, nil, err
	}
	if m.settings["EventSourceArn"] == nil && m.settings["SelfManagedEventSource"] == nil {
		return 0, nil, badParameter("Unrecognized event source.")
	}
	for _, other := range s.mappings {
		if other.settings["EventSourceArn"] == m.settings["EventSourceArn"] && other.settings["FunctionArn"] == m.settings["FunctionArn"] {
			return 0, nil, conflict("An event source mapping with event source arn (\" %v \") and function (\" %v \") already exists. Please update or delete the existing mapping with UUID %v",
				m.settings["EventSourceArn"], m.function, other.settings["UUID"])
		}
	}
	s.mappings[id] = m
	if s.config.Sources != nil {
		s.config.Sources.Map(id, m.shown())
	}
	out := m.shown()
	out["State"] = "Creating"
	return http.StatusAccepted, out, nil
}

// mapping finds the one of a call's path, and calls do under the lock.
func (s *Service) mapping(c *call, do func(id string, m *mapping) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := c.parameters[0]
	m := s.mappings[id]
	if m == nil {
		return missing("The resource you requested does not exist.")
	}
	return do(id, m)
}

func (s *Service) getMapping(c *call) (int, any, error) {
	var out map[string]any
	err := s.mapping(c, func(_ string, m *mapping) error {
		out = m.shown()
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) updateMapping(c *call) (int, any, error) {
	var out map[string]any
	err := s.mapping(c, func(id string, m *mapping) error {
		changed := &mapping{function: m.function, settings: m.shown()}
		if _, err := s.take(c, changed); err != nil {
			return err
		}
		s.mappings[id] = changed
		if s.config.Sources != nil {
			s.config.Sources.Map(id, changed.shown())
		}
		out = changed.shown()
		out["State"] = "Updating"
		return nil
	})
	return http.StatusAccepted, out, err
}

func (s *Service) deleteMapping(c *call) (int, any, error) {
	var out map[string]any
	err := s.mapping(c, func(id string, m *mapping) error {
		delete(s.mappings, id)
		if s.config.Sources != nil {
			s.config.Sources.Unmap(id)
		}
		out = m.shown()
		out["State"] = "Deleting"
		return nil
	})
	return http.StatusAccepted, out, err
}

func (s *Service) listMappings(c *call) (int, any, error) {
	function := ""
	if n := c.query("FunctionName"); n != "" {
		t, no := parseTarget(n, "")
		if no != nil {
			return 0, nil, no
		}
		function = t.name
	}
	source := c.query("EventSourceArn")
	s.mu.RLock()
	var all []map[string]any
	for _, m := range s.mappings {
		if (function == "" || function == m.function) && (source == "" || m.settings["EventSourceArn"] == source) {
			all = append(all, m.shown())
		}
	}
	s.mu.RUnlock()
	key := func(m map[string]any) string { id, _ := m["UUID"].(string); return id }
	slices.SortFunc(all, func(a, b map[string]any) int { return cmp.Compare(key(a), key(b)) })
	some, next, err := page(c, 100, all, key)
	return http.StatusOK, struct {
		EventSourceMappings []map[string]any
		NextMarker          string `json:",omitempty"`
	}{some, next}, err
}
