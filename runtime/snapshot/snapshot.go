package snapshot

// A Snapshot is what a layer holds that Take has written.
type Snapshot struct {
	Argv    []string // the program that becomes the process, as seen inside
	Bytes   int64    // memory that it reads
	Regions int      // mappings
}

// Mechanism names how restores are made, for those who read of them.
const Mechanism = "memory and registers of one process, read by ptrace and laid again in a sandbox of its own"
