package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pages is how much of an image's own files is in the kernel's page cache. Files of this
// host that a function sees besides, such as /usr, are none of them.
type Pages struct {
	Bytes  int64 // of all files, in whole pages
	Cached int64 // of these, in memory; of files that belong to another user the kernel says all
}

// Pages counts, and reads nothing.
func (img Image) Pages() (p Pages, err error) {
	err = img.files(func(f *os.File, size int64) error {
		total, cached, err := resident(f, size)
		p.Bytes, p.Cached = p.Bytes+total, p.Cached+cached
		return err
	})
	return p, err
}

// DropPages has the kernel drop them, as far as no process has them mapped and they are on
// a disk: it needs no rights (posix_fadvise(2), POSIX_FADV_DONTNEED). What was written and
// is not on the disk yet is brought there first, as it stays otherwise.
func (img Image) DropPages() error {
	return img.files(func(f *os.File, _ int64) error {
		if err := f.Sync(); err != nil && !errors.Is(err, unix.EROFS) && !errors.Is(err, unix.EINVAL) {
			return err
		}
		return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	})
}

// files hands each regular file that is not empty to do.
func (img Image) files(do func(f *os.File, size int64) error) error {
	for _, dir := range img.Layers {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			fi, err := f.Stat()
			if err != nil || fi.Size() == 0 {
				return err
			}
			if err := do(f, fi.Size()); err != nil {
				return fmt.Errorf("page cache of %s: %w", path, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// resident is the size of a file's pages, and of those that are in memory (mincore(2), which
// x/sys/unix has no call for).
func resident(f *os.File, size int64) (total, cached int64, err error) {
	m, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, 0, err
	}
	defer unix.Munmap(m)
	page := int64(os.Getpagesize())
	in := make([]byte, (size+page-1)/page)
	if _, _, no := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&m[0])), uintptr(size), uintptr(unsafe.Pointer(&in[0]))); no != 0 {
		return 0, 0, no
	}
	for _, b := range in {
		cached += int64(b&1) * page
	}
	return int64(len(in)) * page, cached, nil
}
