// Package image turns what a person calls their function into root filesystem
// layers that package launch can mount: a directory, or a zip, with an
// executable named bootstrap at its top, as Lambda's custom runtimes have it.
// OCI images and layouts are not read yet: Open says so.
//
// The contents are always copied into a store, under their digest:
//
//	STORE/sha256-<digest>/var/task/...
//
// A copy costs a moment once and buys three things: files that any user may
// read (the sandbox runs as another one than their owner, whose home may be
// closed to it), contents that can't change while a run measures them, and a
// folder that is a layer of a root as it stands. Chosen over mounting the user's
// folder with mapped ids, which needs root and a file system that can, and over
// hard links, which would share the modes that have to be widened.
//
// In the copy every file can be read by all, and executed by all if its owner
// could; nobody may write. Symbolic links are kept if they stay inside.
package image
