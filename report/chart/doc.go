// Package chart draws the pictures of a report, each a function of results
// values that returns a Chart: its name, its title with "measured here" or
// "projected on AWS", a text for those who can't see it, the drawing itself at
// any width (SVG, PNG, or SVG to be placed in a page), and a table of the same
// numbers. What was measured here and what was projected on AWS never share a
// chart.
//
// A chart of nothing is not an error: Empty says why there is nothing to draw.
// No value in a run (zero, negative, absurdly large, NaN) makes a drawing
// panic or puts a coordinate that isn't a number into it. The same values make
// the same bytes.
//
// Chosen: gonum/plot's canvas (vg, vg/draw, its SVG and PNG backends) under
// axes and label placement of our own. Turned down: gonum's plot.Plot, whose
// log scale panics on zero, whose padding keeps stacked panels and labels from
// sharing coordinates, and which links the PDF, EPS and TeX backends; a
// JavaScript library, since a report is read without scripts.
//
// Colours are Okabe and Ito's, told apart by every kind of colour vision; a
// dash, a glyph or a label always says the same thing again.
package chart
