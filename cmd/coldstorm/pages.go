package main

import (
	"fmt"

	"coldstorm/results"
	"coldstorm/runtime/image"
)

// The words of --page-cache.
const (
	pageCacheWarm = "warm" // as it was left: files that were copied and run before are in it
	pageCacheCold = "cold" // the function's own files are dropped after each deployment
)

// dropPages has the kernel forget the function's files, once nothing of an earlier
// deployment runs any more, where that was asked for.
func (l *liveTarget) dropPages() error {
	l.dropped = l.options.pageCache == pageCacheCold && !l.snapStart
	if !l.dropped {
		return nil
	}
	if err := l.image.DropPages(); err != nil {
		return fmt.Errorf("drop the function's files from the page cache: %w", err)
	}
	return nil
}

// pages is what of the function's files is in the page cache as triggers are to be fired, the
// first after a deployment if they were dropped for them; the zero value where that can't be told, or
// would take long and was told already.
func (l *liveTarget) pages() results.PageCache {
	dropped := l.dropped
	l.dropped = false
	if l.options.pageCache == "" || !dropped && l.image.Kind == image.KindContainer && len(l.series) > 0 {
		return results.PageCache{}
	}
	p, err := l.image.Pages()
	if err != nil {
		return results.PageCache{}
	}
	return results.PageCache{Bytes: p.Bytes, Cached: p.Cached, Dropped: dropped}
}

// tellPages says in which state storms met the page cache.
func (r *runner) tellPages(img image.Image) {
	var first results.PageCache
	for _, m := range r.series {
		if p := m.PageCache; first.Bytes == 0 || p.Dropped && !first.Dropped {
			first = p
		}
	}
	switch {
	case first.Bytes == 0:
	case !first.Dropped:
		r.note(results.LevelInfo, "", "page cache warm: the function's own files were left in it, %s of %s when the first storm began", megabytes(first.Cached), megabytes(first.Bytes))
	default:
		own := ""
		if img.HostUsr {
			own = ", this host's /usr, in which its interpreter or libraries are, not among them"
		}
		r.note(results.LevelInfo, "", "page cache cold: the function's own files (%s%s) were dropped from it after each deployment; the first environment reads from the disk what it needs, later ones of the same deployment find that in memory", megabytes(first.Bytes), own)
		if first.Cached > 0 {
			r.note(results.LevelWarn, "", "page cache: %s of the %s of the function's files stayed in it: they lie in memory (tmpfs), or something on this host has them in use", megabytes(first.Cached), megabytes(first.Bytes))
		}
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
