package workloads

import "time"

// use is the keys that a shape takes.
type use struct {
	needs []string
	may   []string
}

func (u use) all() []string { return append(append([]string{}, u.needs...), u.may...) }

// shapeKeys says which keys of a schedule each shape uses, in the order in which
// they are written out.
var shapeKeys = map[Shape]use{
	ShapeBurst:    {needs: []string{"n"}},
	ShapeConstant: {needs: []string{"rate", "for"}, may: []string{"arrivals"}},
	ShapeRamp:     {needs: []string{"from", "to", "for"}, may: []string{"arrivals"}},
	ShapeStep:     {needs: []string{"from", "to", "steps", "for"}, may: []string{"arrivals"}},
	ShapeSpike:    {needs: []string{"rate", "peak", "every", "width", "for"}, may: []string{"arrivals"}},
	ShapeWave:     {needs: []string{"rate", "swing", "period", "for"}, may: []string{"phase", "arrivals"}},
	ShapeDiurnal:  {needs: []string{"low", "high", "for"}, may: []string{"period", "arrivals"}},
	ShapePoisson:  {needs: []string{"rate", "for"}},
	ShapeOnOff:    {needs: []string{"high", "low", "high_for", "low_for", "for"}},
	ShapePareto:   {needs: []string{"rate", "hurst", "sources", "high_for", "low_for", "for"}},
	ShapeTrace:    {needs: []string{"file"}, may: []string{"format", "place", "functions", "apart", "since", "for", "time", "load"}},
	ShapeGap:      {needs: []string{"n", "gap"}},
	ShapeGaps:     {needs: []string{"gaps"}},
	ShapeLadder:   {needs: []string{"first", "last", "n"}},
	ShapeSequence: {needs: []string{"n"}},
	ShapeLoop:     {needs: []string{"clients", "n"}, may: []string{"think", "thinking"}},
	ShapePause:    {needs: []string{"for"}},
	ShapeChain:    {needs: []string{"parts"}},
	ShapeOverlay:  {needs: []string{"parts"}},
	ShapeRepeat:   {needs: []string{"times", "of"}, may: []string{"every"}},
	ShapeScale:    {needs: []string{"of"}, may: []string{"time", "load"}},
	ShapeZipf:     {needs: []string{"functions", "of"}, may: []string{"exponent"}},
	ShapeCold:     {needs: []string{"share", "of"}},
}

// The words of arrivals and thinking; the first of each is the default.
var (
	arrivalWords  = []string{"even", "poisson"}
	thinkingWords = []string{"fixed", "exponential"}
	placeWords    = []string{"uniform", "even", "poisson"}
	formatWords   = []string{"azure2019", "azure2021", "huawei2023", "huawei2025", "ibm", "vegeta", "log", "json", "csv"} // of package trace
)

// scheduleKeys are those of which a shape uses some.
func scheduleKeys() []string { return names(partKeys())[1:] }

// partKeys are the keys of a part: its shape and the schedule's. It is a
// function, and not a table, because parts have parts.
func partKeys() []key[Storm] {
	return []key[Storm]{
		{"shape", func(s *Storm, v value) error { // first: what rate may be depends on it
			w, err := v.word("shape", "shapes", words(Shapes))
			s.Shape = Shape(w)
			return err
		}},
		{"n", func(s *Storm, v value) (err error) { s.N, err = v.count("n", 1, MaxTriggers); return }},
		rateKey("rate", func(s *Storm) *float64 { return &s.Rate }, ShapeSpike),
		rateKey("from", func(s *Storm) *float64 { return &s.From }, ShapeRamp, ShapeStep),
		rateKey("to", func(s *Storm) *float64 { return &s.To }, ShapeRamp, ShapeStep),
		{"steps", func(s *Storm, v value) (err error) { s.Steps, err = v.count("steps", 2, maxSteps); return }},
		rateKey("peak", func(s *Storm) *float64 { return &s.Peak }),
		rateKey("swing", func(s *Storm) *float64 { return &s.Swing }),
		rateKey("high", func(s *Storm) *float64 { return &s.High }),
		rateKey("low", func(s *Storm) *float64 { return &s.Low }, ShapeDiurnal, ShapeOnOff),
		spanKey("high_for", func(s *Storm) *time.Duration { return &s.HighFor }),
		spanKey("low_for", func(s *Storm) *time.Duration { return &s.LowFor }),
		spanKey("period", func(s *Storm) *time.Duration { return &s.Period }),
		numberKey("phase", 0, 1, func(s *Storm) *float64 { return &s.Phase }),
		spanKey("every", func(s *Storm) *time.Duration { return &s.Every }),
		spanKey("width", func(s *Storm) *time.Duration { return &s.Width }),
		numberKey("hurst", 0.51, 0.99, func(s *Storm) *float64 { return &s.Hurst }),
		{"sources", func(s *Storm, v value) (err error) { s.Sources, err = v.count("sources", 1, maxSources); return }},
		{"arrivals", func(s *Storm, v value) error {
			w, err := v.word("arrivals", "arrivals", arrivalWords)
			s.Poisson = w == arrivalWords[1]
			return err
		}},
		spanKey("for", func(s *Storm) *time.Duration { return &s.For }),
		spanKey("gap", func(s *Storm) *time.Duration { return &s.Gap }),
		{"gaps", func(s *Storm, v value) (err error) {
			s.Gaps, err = v.durations("gaps", time.Millisecond, maxSpan)
			return
		}},
		spanKey("first", func(s *Storm) *time.Duration { return &s.First }),
		spanKey("last", func(s *Storm) *time.Duration { return &s.Last }),
		{"clients", func(s *Storm, v value) (err error) { s.Clients, err = v.count("clients", 1, maxClients); return }},
		{"think", func(s *Storm, v value) (err error) { s.Think, err = v.duration("think", 0, maxSpan); return }},
		{"thinking", func(s *Storm, v value) error {
			w, err := v.word("thinking", "thinking", thinkingWords)
			s.Exponential = w == thinkingWords[1]
			return err
		}},
		{"times", func(s *Storm, v value) (err error) { s.Times, err = v.count("times", 1, maxTimes); return }},
		numberKey("time", 0.0001, 1000, func(s *Storm) *float64 { return &s.Time }),
		numberKey("load", 0.0001, 1000, func(s *Storm) *float64 { return &s.Load }),
		{"functions", func(s *Storm, v value) (err error) { s.Functions, err = v.count("functions", 1, maxFunctions); return }},
		numberKey("exponent", 0, 10, func(s *Storm) *float64 { return &s.Exponent }),
		{"share", func(s *Storm, v value) (err error) { s.Share, err = v.percent("share"); return }},
		{"file", func(s *Storm, v value) (err error) { s.File, err = v.text("file"); return }},
		{"format", func(s *Storm, v value) (err error) { s.Format, err = v.word("format", "formats", formatWords); return }},
		{"place", func(s *Storm, v value) (err error) { s.Place, err = v.word("place", "places", placeWords); return }},
		{"since", func(s *Storm, v value) (err error) { s.Since, err = v.duration("since", 0, maxSpan); return }},
		{"apart", func(s *Storm, v value) (err error) { s.Apart, err = v.truth("apart"); return }},
		{"of", readPart},
		{"parts", readParts},
	}
}

// rateKey is a key of triggers a second. Only the shapes named may have none.
func rateKey(name string, field func(*Storm) *float64, zero ...Shape) key[Storm] {
	return key[Storm]{name, func(s *Storm, v value) (err error) {
		*field(s), err = v.rate(name, has(zero, s.Shape))
		return err
	}}
}

func spanKey(name string, field func(*Storm) *time.Duration) key[Storm] {
	return key[Storm]{name, func(s *Storm, v value) (err error) {
		*field(s), err = v.duration(name, time.Millisecond, maxSpan)
		return err
	}}
}

func numberKey(name string, low, high float64, field func(*Storm) *float64) key[Storm] {
	return key[Storm]{name, func(s *Storm, v value) (err error) {
		*field(s), err = v.within(name, low, high)
		return err
	}}
}
