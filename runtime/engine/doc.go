// Package engine is the boundary between the process that generates load and
// the one that runs functions.
//
// The generator, the engine (planes, Runtime APIs, invoke endpoint) and the
// launcher are three processes, so that a burst of launches doesn't delay a
// send, and because a multithreaded process can't enter a user namespace. This
// package is both ends of the first boundary: Serve is what the engine's process
// does, Start is the client in the generator's. The second boundary is
// launch's; the engine's process starts the launcher.
//
// Invocations go over HTTP to the address that URL tells. All else (deploy,
// discard, census, close) is a line of JSON each on the process's stdin and
// stdout. The engine is in a process group of its own, so that Ctrl-C at a
// terminal reaches the generator alone. When the generator dies, stdin ends and
// the engine stops everything and goes, as it does on SIGTERM.
//
// With Config.Account the endpoint is a whole account of the Lambda API, whose
// functions callers create (invoke.Service); deploy and discard are for the one
// function of a run and leave it alone. Without an account, Attach lets events reach what
// is deployed, by the same sources.
//
// Descriptors: an environment takes eight in the engine and as many
// requests are open as triggers are in flight. Go's runtime raises the soft
// limit on open files to the hard one when a process starts.
//
// It is a package of its own, and not a part of live, so that live can be
// driven without processes, and that cmd deals with one handle.
package engine
