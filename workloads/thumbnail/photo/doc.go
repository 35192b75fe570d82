// Package photo makes the photographs that the thumbnail workload is fed with,
// and checks what it answers.
//
// A photograph is a synthetic landscape: a sky, a sun, three ridges, a few
// houses, texture and grain, so that a JPEG of it weighs what one of a camera
// does. A seed is a scene; a size class is the resolution and the grain at
// which it is taken. All of it is integer arithmetic, so that the pixels, and
// with one version of Go the bytes too, are the same on every machine.
package photo
