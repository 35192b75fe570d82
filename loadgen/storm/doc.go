// Package storm turns the storms of a scenario into schedules of arrivals: for
// each trigger the time at which it is to be sent, from the storm's start.
//
// A schedule is a pure function of an index. It reads no clock, starts no
// goroutine and draws nothing but what its seed says, so that the same storm can
// be fired at an endpoint, run through a simulation in virtual time, and hashed
// into a manifest. Who fires it keeps to the times or says by how much it
// missed them; no schedule ever waits for an answer, with one exception that
// Closed tells of.
//
// Shapes with a rate are Curves, whose arrivals are even, or random if Varying.
// Random processes (Poisson, OnOff, SelfSimilar) are structs whose Draw gives a
// schedule in bounded memory. Chain, Overlay, Repeat, Stretch and Load compose
// schedules; Spread and Chill mark their triggers with a function and as cold.
// With makes all of them of a scenario's storm.
//
// Chosen: closed forms, solved for each arrival from its index. Turned down:
// adding up intervals (a truncated nanosecond per arrival is 35 triggers too
// many in ten seconds at 70,000/s) and stepping with the rate of the moment (a
// ramp from 1/s starts nearly two seconds late).
package storm
