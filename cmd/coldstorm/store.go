package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// storeVariable names the folder in which layers of images are kept.
const storeVariable = "COLDSTORM_STORE"

// layerStore is where layers of images are kept between runs: the folder that
// the person named, or their cache (XDG Base Directory Specification). If that
// can't be used it is empty, and why says the reason; a folder that was named
// has to be usable.
func layerStore(env func(string) string) (dir, why string, err error) {
	if named := env(storeVariable); named != "" {
		named, err := filepath.Abs(named)
		if err == nil {
			err = usable(named)
		}
		if err != nil {
			return "", "", usageError("name a folder on this machine that you may write to", "$%s: %w", storeVariable, err)
		}
		return filepath.Join(named, "layers"), "", nil
	}
	cache := env("XDG_CACHE_HOME")
	if !filepath.IsAbs(cache) {
		home := env("HOME")
		if !filepath.IsAbs(home) {
			return "", "neither $HOME nor $" + storeVariable + " names a folder", nil
		}
		cache = filepath.Join(home, ".cache")
	}
	dir = filepath.Join(cache, "coldstorm", "layers")
	if err := usable(dir); err != nil {
		return "", fmt.Sprintf("%v ($%s may name another folder)", err, storeVariable), nil
	}
	return dir, "", nil
}

// usable says what keeps a folder, which need not be there yet, from holding
// programs that are to be run.
func usable(dir string) error {
	for {
		_, err := os.Stat(dir)
		if err == nil {
			break
		}
		up := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || up == dir {
			return err
		}
		dir = up
	}
	var st unix.Statfs_t
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write to", Path: dir, Err: err}
	}
	if err := unix.Statfs(dir, &st); err == nil && st.Flags&unix.ST_NOEXEC != 0 {
		return fmt.Errorf("%s is mounted noexec", dir)
	}
	return nil
}
