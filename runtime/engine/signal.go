package engine

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Signal sends a signal to the sandbox's first process. It is not an error if
// the sandbox has ended.
func (b *sandbox) Signal(s syscall.Signal) error {
	fd, err := unix.PidfdOpen(b.PID, 0)
	if err != nil {
		return fmt.Errorf("signal sandbox %s: %w", b.ID, err)
	}
	defer unix.Close(fd)
	select {
	case <-b.Done(): // the number may be another's
		return nil
	default:
	}
	if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil {
		return fmt.Errorf("signal sandbox %s: %w", b.ID, err)
	}
	return nil
}
