// Package snapshot takes a snapshot of a process that waits in its sandbox for its
// restore, and makes of it a program that becomes that process again in another one.
//
// Take stops the process, writes the pages that it has changed to a file, and writes a
// small static program whose code is nothing but the system calls that lay the same
// memory, descriptors, signal handlers and registers (restorer_amd64.go). Both are the
// files of a folder, which is one more layer of the function's image: a restored
// environment is started like any other, with that program in the place of the
// function's own. So it has namespaces, cgroups, a root, a network, limits and a filter
// of system calls of its own, and no right more than any other; and no more is asked of a
// host than ptrace by the sandbox's owner, once a snapshot.
//
// Turned down: a fork of an initialised process, whose child would have to be moved into
// namespaces by somebody, which the kernel can't do, or to enter them by itself, for
// which the function's code would have to run with rights before; CRIU, which needs more
// rights than a sandbox's owner has, and doesn't work on every kernel; memory mapped
// privately from the snapshot's file instead of copied, in which pages that a program has
// given back (MADV_DONTNEED) would come back with what they held instead of zeros, on
// which allocators rely.
//
// What a snapshot carries: memory, with what is mapped of the image's files; registers
// and the floating point's state; signal handlers, mask and alternative stack; limits
// (setrlimit), umask, folder, name; files that are open for reading; the connection to the
// Runtime API, which is made anew, with the ask for the restore that it waited with.
// Memory that is to be wiped at a fork (MADV_WIPEONFORK) is wiped here too: libraries of
// cryptography so notice that they have a twin.
//
// What can't be carried is refused, with the reason (Unfit): several threads, as every
// Node.js process has; child processes; files in /tmp and /dev/shm; descriptors of other
// kinds; memory that is shared and written; timers. Not carried, and not looked for: what
// a process has set by prctl but its name, filters that it added, and /proc/self/exe,
// which is the program of the snapshot.
//
// The process that was stopped is ended: its memory has been written to.
package snapshot
