package workloads

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"
)

type schema struct {
	Properties map[string]json.RawMessage
	OneOf      []json.RawMessage `json:"oneOf"`
	Required   []string
	Enum       []string
	Defs       map[string]schema `json:"$defs"`
}

func loadSchema(t *testing.T) schema {
	t.Helper()
	b, err := os.ReadFile("scenario.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaHasTheKeysOfTheParser(t *testing.T) {
	s := loadSchema(t)
	for _, c := range []struct {
		part   string
		schema schema
		keys   []string
	}{
		{"scenario", s, names(scenarioKeys)},
		{"function", s.Defs["function"], names(functionKeys)},
		{"payload", s.Defs["payload"], names(payloadKeys)},
		{"storm", s.Defs["storm"], names(stormKeys)},
		{"part", s.Defs["part"], names(partKeys())},
		{"sweep", s.Defs["sweep"], names(sweepKeys)},
		{"project", s.Defs["project"], names(projectKeys)},
		{"queue", s.Defs["queue"], names(queueKeys)},
		{"events", s.Defs["events"], names(eventKeys)},
	} {
		sameWords(t, c.part+" keys", slices.Collect(maps.Keys(c.schema.Properties)), c.keys)
	}
}

func TestSchemaHasTheWordsOfTheParser(t *testing.T) {
	s := loadSchema(t)
	project := s.Defs["project"].Properties
	sameWords(t, "scaling", enum(t, project["scaling"]), Scalings)
	sameWords(t, "nodes", enum(t, project["nodes"]), NodeScalings)
	sameWords(t, "placement", enum(t, project["placement"]), Placements)
	sameWords(t, "balancer", enum(t, project["balancer"]), Balancers)
	sameWords(t, "image caches", enum(t, project["image_cache"]), ImageCaches)
	sameWords(t, "models", s.Defs["model"].Enum, words(AllModels))
	sameWords(t, "shape", enum(t, s.Defs["part"].Properties["shape"]), words(Shapes))
	sameWords(t, "arrivals", enum(t, s.Defs["part"].Properties["arrivals"]), arrivalWords)
	sameWords(t, "thinking", enum(t, s.Defs["part"].Properties["thinking"]), thinkingWords)
	sameWords(t, "place", enum(t, s.Defs["part"].Properties["place"]), placeWords)
	sameWords(t, "format", enum(t, s.Defs["part"].Properties["format"]), formatWords)
	sameWords(t, "workload", enum(t, s.Defs["function"].Properties["workload"]), bundledNames())
	sameWords(t, "architecture", enum(t, s.Defs["function"].Properties["architecture"]), Architectures)
	var sizes []string
	for _, w := range Catalogue() {
		sizes = append(sizes, w.Sizes...)
	}
	slices.Sort(sizes) // workloads share words
	sameWords(t, "size", enum(t, s.Defs["payload"].Properties["size"]), slices.Compact(sizes))
}

func TestSchemaHasTheTriggersOfTheParser(t *testing.T) {
	var trigger struct{ OneOf []schema }
	b, err := os.ReadFile("scenario.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(s.Defs["trigger"], &trigger); err != nil {
		t.Fatal(err)
	}
	sameWords(t, "trigger", trigger.OneOf[0].Enum, words(TriggerKinds))
	sameWords(t, "trigger keys", slices.Collect(maps.Keys(trigger.OneOf[1].Properties)), names(triggerKeys))
}

func TestSchemaHasTheShapesOfTheParser(t *testing.T) {
	s := loadSchema(t)
	sameWords(t, "settings", s.Defs["settings"].Enum, append(names(settingKeys), "name"))
	seen := 0
	for _, raw := range s.Defs["shapes"].OneOf {
		var alternative struct {
			schema
			PropertyNames struct {
				AnyOf []schema `json:"anyOf"`
			} `json:"propertyNames"`
		}
		if err := json.Unmarshal(raw, &alternative); err != nil {
			t.Fatal(err)
		}
		var shape struct{ Const Shape }
		if err := json.Unmarshal(alternative.Properties["shape"], &shape); err != nil {
			t.Fatal(err)
		}
		seen++
		u := shapeKeys[shape.Const]
		sameWords(t, string(shape.Const)+" needs", alternative.Required, u.needs)
		sameWords(t, string(shape.Const)+" uses", alternative.PropertyNames.AnyOf[1].Enum, append(u.all(), "shape"))
	}
	if seen != len(Shapes) {
		t.Errorf("schema has %d shapes, want %d", seen, len(Shapes))
	}
}

func TestEveryShapeHasItsKeysAndEveryKeyAShape(t *testing.T) {
	var used []string
	for _, shape := range Shapes {
		u, ok := shapeKeys[shape]
		if !ok {
			t.Errorf("%s has no keys", shape)
		}
		used = append(used, u.all()...)
	}
	slices.Sort(used)
	sameWords(t, "keys", slices.Compact(used), scheduleKeys())
}

func enum(t *testing.T, raw json.RawMessage) []string {
	t.Helper()
	var s schema
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return s.Enum
}

func sameWords(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: schema has %v, parser has %v", what, got, want)
	}
}
