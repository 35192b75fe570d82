package image

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// manage makes img run a handler by our runtime of its language: one more layer,
// uppermost, that holds /var/runtime. compile says whether the interpreter is this
// host's, and can compile that beforehand.
func (img *Image) manage(l *language, i interpreter, handler, store string, compile bool) error {
	layer, err := l.layer(store)
	if err != nil {
		return fmt.Errorf("runtime of %s: %w", l.name, err)
	}
	if compile {
		l.compile(i, layer)
	}
	img.Layers = slices.Insert(slices.Clone(img.Layers), 0, layer)
	img.Argv = []string{i.path, path.Join(runtimeDir, l.main)}
	img.Runtime, img.Handler = i.runtime, handler
	img.Env = append(l.env(i.runtime), img.Env...)
	img.Managed = true
	return nil
}

// Command is the program to start with its arguments, for a function of so much
// memory (0: not known) and these variables. Interpreters are told their share of
// memory, and are started by AWS_LAMBDA_EXEC_WRAPPER if that is set (AWS
// documentation: "Modifying the runtime environment"). It is Argv for all else.
func (img Image) Command(memoryMB int, env []string) []string {
	l := languageOf(img.Runtime)
	if l == nil || !img.Managed {
		return img.Argv
	}
	var argv []string
	for _, e := range env {
		if wrapper, ok := strings.CutPrefix(e, "AWS_LAMBDA_EXEC_WRAPPER="); ok && wrapper != "" {
			argv = append(argv, wrapper)
		}
	}
	argv = append(append(argv, img.Argv[0]), l.flags(memoryMB)...)
	return append(argv, img.Argv[1:]...)
}

// layer writes the runtime into the store, if it isn't there, and returns its
// folder.
func (l *language) layer(store string) (string, error) {
	top, err := fs.Sub(bootstraps, "bootstraps/"+l.folder())
	if err != nil {
		return "", err
	}
	h := sha256.New()
	files := map[string][]byte{}
	err = fs.WalkDir(top, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(top, name)
		fmt.Fprintf(h, "%q %q\n", name, files[name])
		return err
	})
	if err != nil {
		return "", err
	}
	if store, err = filepath.Abs(store); err != nil {
		return "", err
	}
	root := filepath.Join(store, "runtime-"+l.name+"-"+hex.EncodeToString(h.Sum(nil))[:16])
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	if err := os.MkdirAll(store, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(store, "unpack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp) // nothing, once it has its name
	if err := writeRuntime(tmp, files); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, root); err != nil && !isFolder(root) { // else another was first
		return "", err
	}
	return root, nil
}

func isFolder(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}

// folder is where a language's runtime stands among ours.
func (l *language) folder() string {
	if l.name == "nodejs" {
		return "node"
	}
	return l.name
}

// writeRuntime writes files that all may read below root/var/runtime.
func writeRuntime(root string, files map[string][]byte) error {
	dir := filepath.Join(root, runtimeDir)
	err := os.MkdirAll(dir, 0o755)
	for name, text := range files {
		at := filepath.Join(dir, name)
		err = errors.Join(err, os.WriteFile(at, text, 0o444), os.Chmod(at, 0o444))
	}
	for d := dir; len(d) >= len(root); d = filepath.Dir(d) { // whatever the umask
		err = errors.Join(err, os.Chmod(d, 0o755))
	}
	return err
}

// compile has Python compile the runtime, once for all environments; Lambda's comes
// compiled too. Where that fails, each environment compiles it for itself.
func (l *language) compile(i interpreter, layer string) {
	if l.name != "python" {
		return
	}
	dir := filepath.Join(layer, runtimeDir)
	cmd := exec.Command(i.path, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-d", runtimeDir, dir)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=")
	if cmd.Run() == nil {
		os.Chmod(filepath.Join(dir, "__pycache__"), 0o755)
		made, _ := filepath.Glob(filepath.Join(dir, "__pycache__", "*"))
		for _, f := range made {
			os.Chmod(f, 0o444)
		}
	}
}
