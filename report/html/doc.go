// Package html makes report.html: one page that holds everything a run has to
// say, in the order in which it matters: what spoils the figures, the verdict,
// what was measured here, what was projected on AWS, what it costs, how it was
// obtained.
//
// The page stands alone: no network, no scripts, no fonts; it follows the
// reader's light or dark theme, prints, and stays under 400 kB. Every drawing
// comes in two layouts, of which the width of the window chooses one, and is
// followed by its numbers as a table. The run itself, without its curves and
// timelines, lies in the page as JSON (id "result").
//
// Whatever a user named (function, storm, reason) is escaped by html/template.
// Every latency says whether it was measured here or projected on AWS; a
// quantile that its samples can't carry reads "n too small", never 0.
package html
