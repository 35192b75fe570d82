package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const pageSize = 4096

// A run is a stretch of pages whose content the snapshot's file holds, in the order of
// the runs.
type run struct{ start, size uint64 }

// The bits of /proc/pid/pagemap (admin-guide/mm/pagemap in the kernel's documentation).
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
	pageOfFile  = 1 << 61 // or shared
)

// dump writes what a process has changed of a region to out, and returns the runs.
// limit bounds what is written.
func dump(r region, mem io.ReaderAt, pagemap io.ReaderAt, out io.Writer, limit *int64) ([]run, error) {
	if r.ofKernel() || r.shared || r.wiped() {
		return nil, nil
	}
	var runs []run
	page := make([]byte, pageSize)
	const batch = 4096
	entries := make([]byte, 8*batch)
	for at := r.start; at < r.end; {
		n := min(batch, (r.end-at)/pageSize)
		if _, err := pagemap.ReadAt(entries[:8*n], int64(at/pageSize*8)); err != nil {
			return nil, fmt.Errorf("page map: %w", err)
		}
		for i := range n {
			e := binary.LittleEndian.Uint64(entries[8*i:])
			if e&(pagePresent|pageSwapped) == 0 || e&pageOfFile != 0 {
				continue
			}
			where := at + i*pageSize
			if _, err := mem.ReadAt(page, int64(where)); err != nil {
				return nil, fmt.Errorf("memory at %#x: %w", where, err)
			}
			if !r.ofFile() && bytes.Equal(page, zeros) { // as it is by itself
				continue
			}
			if *limit -= pageSize; *limit < 0 {
				return nil, unfit("it has more memory than a snapshot may hold")
			}
			if _, err := out.Write(page); err != nil {
				return nil, err
			}
			if k := len(runs); k > 0 && runs[k-1].start+runs[k-1].size == where {
				runs[k-1].size += pageSize
			} else {
				runs = append(runs, run{where, pageSize})
			}
		}
		at += n * pageSize
	}
	return runs, nil
}

var zeros = make([]byte, pageSize)

// open opens a file of a process's folder in /proc.
func open(pid int, name string) (*os.File, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/%s", pid, name))
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("%w: this host keeps a process from being read by the owner of its sandbox", err)
	}
	return f, err
}

// Large pages, where the kernel makes them, save most of what it takes to fill memory: a
// fault for each small one. They are used where what is filled has hardly a gap, so that
// a restored process takes the memory that the snapshot's had.
const (
	hugeSize = 2 << 20
	mostGaps = hugeSize / 16
)

// dense lists the parts of a region that consist of large pages which runs fill, nearly.
func dense(r region, runs []run) (list []run) {
	if r.ofFile() || r.has("gd") || r.has("hg") || r.has("nh") {
		return nil
	}
	for at := (r.start + hugeSize - 1) / hugeSize * hugeSize; at+hugeSize <= r.end; at += hugeSize {
		filled := uint64(0)
		for _, x := range runs {
			if from, to := max(x.start, at), min(x.start+x.size, at+hugeSize); from < to {
				filled += to - from
			}
		}
		if filled < hugeSize-mostGaps {
			continue
		}
		if k := len(list); k > 0 && list[k-1].start+list[k-1].size == at {
			list[k-1].size += hugeSize
		} else {
			list = append(list, run{at, hugeSize})
		}
	}
	return list
}
