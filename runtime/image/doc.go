// Package image turns what a person calls their function into root filesystem
// layers that package launch can mount. A function is one of
//
//   - a directory, or a zip, with an executable named bootstrap at its top, as
//     Lambda's custom runtimes have it, or with a handler in Python or Node.js, as
//     its managed ones do;
//   - a container image: an OCI layout (a directory or a tar), a tar of docker
//     save, or a reference to a registry, which needs no Docker.
//
// # Directories and zips
//
// The contents are always copied, under their digest:
//
//	COPIES/sha256-<digest>/var/task/...
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
//
// # Handlers
//
// A handler runs in an interpreter of this host, which has to be below /usr, where
// a sandbox sees it, under a small runtime of ours (bootstraps), which is one more
// layer, at /var/runtime. AWS's own runtimes come in images alone. The version is
// the one that is asked for or none: another one would be another measurement. What
// Debian puts beside its Python (dist-packages) is seen by handlers; AWS's SDKs,
// which Lambda's runtimes bring, are not there unless the package has them.
//
// An image starts its own program, AWS's client for instance. One for which a
// runtime is named gets ours, in its own interpreter.
//
// # Container images
//
// Each layer is unpacked once, into a store that all runs share, under the
// digest of its tar, and mounted from there read-only by however many
// environments (layers.go). Nothing gets a name in the store before the digests
// of manifest, configuration, compressed layer and layer have been verified.
//
//   - ENTRYPOINT and CMD start the program, which speaks the Lambda Runtime API;
//     _HANDLER is CMD. USER is not heeded: like Lambda's, the sandbox's user is
//     its own, without rights.
//   - Modes and times are kept, setuid and setgid are not, nor are owners and
//     extended attributes: all files belong to whoever unpacked them. So what the
//     image lets only a file's owner or group read is closed to the function, as
//     it is on Lambda, whose documentation asks that its default user can read
//     all that the code needs. Without root the function runs as whoever
//     unpacked, and can read more than on Lambda.
//   - Devices, pipes and sockets are left out and counted, not refused: base
//     images made from an old root file system carry a /dev, which no sandbox
//     sees, as it has its own.
//   - Whiteouts become what an overlay understands (whiteout.go).
//   - Bounds are Lambda's 10 GB, enforced on what comes out while it comes out,
//     and a number of files, layers and bytes of a document.
//
// A layer is unpacked by itself, without those below it, so that its folder
// depends on its digest alone. Chosen over one folder for each image, which
// costs its size again for every version of it, and over unpacking onto the
// layers below, as some engines do, which makes an entry below a symbolic link
// of another layer land where that leads. Tools that follow the specification
// don't write such entries; here the folder hides the link.
package image
