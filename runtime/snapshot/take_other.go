//go:build !amd64

package snapshot

import "runtime"

// Possible is why no process of this kind of host can be restored; nil if they can.
func Possible() error {
	return unfit("the program that restores is written for amd64 alone, and this host is %s", runtime.GOARCH)
}

// Take is not possible here.
func Take(int, int, string, int64) (Snapshot, error) { return Snapshot{}, Possible() }
