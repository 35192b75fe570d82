package workloads

import "time"

// Shape names a storm's schedule.
type Shape string

// The shapes of this version. README and scenario.schema.json have them in a
// table with their keys; package storm draws them.
const (
	ShapeBurst    Shape = "burst"    // N at once
	ShapeConstant Shape = "constant" // at a rate
	ShapeRamp     Shape = "ramp"     // from one rate to another
	ShapeStep     Shape = "step"     // the same in stairs
	ShapeSpike    Shape = "spike"    // a rate with short spikes of another
	ShapeWave     Shape = "wave"     // a rate that swings as a sine does
	ShapeDiurnal  Shape = "diurnal"  // days: low at night, high in the afternoon
	ShapePoisson  Shape = "poisson"  // independent callers at a mean rate
	ShapeOnOff    Shape = "on-off"   // Poisson at one of two rates, which change at random
	ShapePareto   Shape = "pareto"   // many on-off sources without a typical length: self-similar

	ShapeTrace Shape = "trace" // as a published trace or a log has it

	ShapeGap      Shape = "gap"      // single triggers with an idle gap between
	ShapeGaps     Shape = "gaps"     // single triggers with the idle gaps that are listed
	ShapeLadder   Shape = "ladder"   // single triggers with idle gaps that grow
	ShapeSequence Shape = "sequence" // one after another: the next is sent when the last is answered
	ShapeLoop     Shape = "loop"     // the same from several clients, who think in between

	ShapePause   Shape = "pause"   // nothing, as a part of a chain
	ShapeChain   Shape = "chain"   // parts one after another
	ShapeOverlay Shape = "overlay" // parts laid over one another
	ShapeRepeat  Shape = "repeat"  // a part several times
	ShapeScale   Shape = "scale"   // a part in another time, or at another rate
	ShapeZipf    Shape = "zipf"    // a part over several functions, of which some are more popular
	ShapeCold    Shape = "cold"    // a part of which a share is to start cold
)

// Shapes lists every Shape.
var Shapes = []Shape{
	ShapeBurst, ShapeConstant, ShapeRamp, ShapeStep, ShapeSpike, ShapeWave, ShapeDiurnal, ShapePoisson, ShapeOnOff, ShapePareto, ShapeTrace,
	ShapeGap, ShapeGaps, ShapeLadder, ShapeSequence, ShapeLoop,
	ShapePause, ShapeChain, ShapeOverlay, ShapeRepeat, ShapeScale, ShapeZipf, ShapeCold,
}

// Storm is one schedule of triggers against the function, or a part of one. Of a
// part only what belongs to its shape is set.
type Storm struct {
	Name  string // the shape by default; of each storm another, as it names the series' file
	Shape Shape

	N           int             // burst, gap, sequence, loop: triggers; ladder: gaps
	Rate        float64         // constant, spike, wave, poisson, pareto: triggers a second, the mean of what varies
	From, To    float64         // ramp, step: triggers a second
	Steps       int             // step: stairs
	Peak        float64         // spike: triggers a second in one
	Swing       float64         // wave: to either side of Rate
	High, Low   float64         // diurnal, on-off: triggers a second
	HighFor     time.Duration   // on-off, pareto: mean time on
	LowFor      time.Duration   // on-off, pareto: mean time off
	Period      time.Duration   // wave, diurnal: from crest to crest; 24 h by default of a diurnal
	Phase       float64         // wave: where in its period it begins, 0..1
	Every       time.Duration   // spike, repeat: from one to the next; of a repeat 0: as long as the part takes
	Width       time.Duration   // spike: of one
	Hurst       float64         // pareto: 0.5..1, how self-similar
	Sources     int             // pareto
	Poisson     bool            // constant, ramp, step, spike, wave, diurnal: arrivals are random along the rate, not even
	For         time.Duration   // shapes with a rate, pause: how long
	Gap         time.Duration   // gap: from one trigger to the next
	Gaps        []time.Duration // gaps
	First, Last time.Duration   // ladder: the first gap and the last
	Clients     int             // loop
	Think       time.Duration   // loop: from an answer to the client's next trigger
	Exponential bool            // loop: Think is the mean of what is drawn
	Times       int             // repeat
	File        string          // trace: from Scenario.Dir
	Format      string          // trace: one of package trace; empty: as its first line says
	Place       string          // trace: where in their minute counted invocations arrive; uniform by default
	Since       time.Duration   // trace: where in it the storm begins
	Apart       bool            // trace: each of its functions is one here
	Time, Load  float64         // scale, trace: factors of all times and of the number of triggers; 0: 1
	Functions   int             // zipf; trace: sampled, 0: all
	Exponent    float64         // zipf: of the law; 1 by default
	Share       float64         // cold: 0..1
	Parts       []Storm         // chain, overlay; the one part of repeat, scale, zipf, cold

	Trigger  Trigger  // how they reach the function; a request each by default
	Payloads []string // names; all of the scenario's, by weight, if empty

	KeepAlive   *time.Duration // for this storm; nil: the function's. 0 makes every start cold
	Concurrency *int           // for this storm; nil: the function's
	Warm        int            // environments made ready, by invocations that are not recorded, before the storm
	Fresh       bool           // environments of earlier storms are discarded first; true by default
}

// Has reports whether the storm or any of its parts has one of the shapes.
func (st Storm) Has(shapes ...Shape) bool {
	if has(shapes, st.Shape) {
		return true
	}
	for _, p := range st.Parts {
		if p.Has(shapes...) {
			return true
		}
	}
	return false
}
