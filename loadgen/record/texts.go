package record

// field is a text of a sample.
type field int

const (
	fieldSeries field = iota
	fieldPayload
	fieldReason
	fieldEnvironment
	fieldNode
	fieldCause
	fieldMode
	fieldOutcome
	fieldStart
	fields
)

// texts keeps one copy of each text, as there are few that repeat: a sample's
// strings are parts of a header, which they would keep whole.
type texts struct {
	all   []string
	index map[string]uint64
	last  [fields]uint64 // of each field: it is often the same again
}

// place returns the place of a text in all, which it gets if it has none.
func (t *texts) place(f field, text string) uint64 {
	if t.index == nil {
		t.all, t.index = []string{""}, map[string]uint64{"": 0}
	}
	if t.all[t.last[f]] == text {
		return t.last[f]
	}
	at, ok := t.index[text]
	if !ok {
		text = string([]byte(text))
		at = uint64(len(t.all))
		t.all = append(t.all, text)
		t.index[text] = at
	}
	t.last[f] = at
	return at
}
