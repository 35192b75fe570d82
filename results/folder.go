package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Root is where runs are kept, from the working directory.
const Root = "results/runs"

// latest is the link in Root to the newest run, and what Resolve takes for it.
const latest = "latest"

// NewDir makes the folder of a new run in root: its start in UTC, its name, and
// a number where that is taken, such as 20260801T093000Z-thumbnail-2. Folders
// of one root sort by their start. What could not stand in a file's name
// becomes a dash.
func NewDir(root, name string, started time.Time) (string, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", fmt.Errorf("make run folder: %w", err)
	}
	base := filepath.Join(root, started.UTC().Format("20060102T150405Z")+"-"+plain(name))
	dir := base
	for n := 2; ; n++ {
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) || n > 10_000 {
			return "", fmt.Errorf("make run folder: %w", err)
		}
		dir = fmt.Sprintf("%s-%d", base, n)
	}
}

// plain keeps letters, digits, dots, underscores and dashes, at most 64.
func plain(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, name)
	if name == "" {
		return "run"
	}
	return name[:min(len(name), 64)]
}

// Latest points the link root/latest at a run's folder, in one step: whoever
// follows it meets the run before or this one.
func Latest(root, dir string) error {
	target, err := filepath.Rel(root, dir)
	if err != nil || strings.HasPrefix(target, "..") { // a run kept elsewhere
		if target, err = filepath.Abs(dir); err != nil {
			return fmt.Errorf("link latest run: %w", err)
		}
	}
	link := filepath.Join(root, latest)
	if info, err := os.Lstat(link); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return fmt.Errorf("link latest run: %s is there and is not a link", link)
	}
	temp := filepath.Join(root, fmt.Sprintf(".%s.%d.tmp", latest, os.Getpid()))
	os.Remove(temp) // of a process of this id that was killed
	if err := os.Symlink(target, temp); err != nil {
		return fmt.Errorf("link latest run: %w", err)
	}
	if err := os.Rename(temp, link); err != nil {
		os.Remove(temp)
		return fmt.Errorf("link latest run: %w", err)
	}
	return nil
}

// Resolve finds the folder of a run that a person names: a folder, the
// result.json in it, an id in Root, or latest. The folder holds a result.json;
// else the error is ErrNotARun. A link is followed, so that the folder's name
// is the run's id.
func Resolve(arg string) (string, error) {
	candidates := []string{arg, filepath.Join(Root, arg)}
	if arg == latest {
		candidates = []string{filepath.Join(Root, latest)}
	}
	if filepath.Base(arg) == ResultFile {
		candidates = []string{filepath.Dir(arg)}
	}
	for _, dir := range candidates {
		if info, err := os.Stat(filepath.Join(dir, ResultFile)); arg == "" || err != nil || !info.Mode().IsRegular() {
			continue
		}
		real, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return "", fmt.Errorf("find run %s: %w", arg, err)
		}
		return real, nil
	}
	return "", fmt.Errorf("%q is %w%s", arg, ErrNotARun, among())
}

// among names the newest runs, for an error.
func among() string {
	found, err := filepath.Glob(filepath.Join(Root, "*", ResultFile))
	var ids []string
	for _, f := range found {
		if id := filepath.Base(filepath.Dir(f)); id != latest {
			ids = append(ids, id)
		}
	}
	if err != nil || len(ids) == 0 {
		return "; " + Root + " holds none yet"
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return fmt.Sprintf("; the newest of %d in %s: %s", len(ids), Root, strings.Join(ids[:min(3, len(ids))], ", "))
}
