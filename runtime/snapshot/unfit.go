package snapshot

import "fmt"

// Unfit is the error of a process that can't be restored from a snapshot.
type Unfit struct{ Reason string }

func (u Unfit) Error() string { return "no snapshot of this process: " + u.Reason }

func unfit(format string, args ...any) error { return Unfit{fmt.Sprintf(format, args...)} }
