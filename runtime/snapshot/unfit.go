package snapshot

import "fmt"

// Unfit is the error of a process that can't be restored from a snapshot: the reason, as a
// sentence about it.
type Unfit struct{ Reason string }

func (u Unfit) Error() string { return u.Reason }

func unfit(format string, args ...any) error { return Unfit{fmt.Sprintf(format, args...)} }
