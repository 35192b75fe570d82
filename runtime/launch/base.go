package launch

import (
	"fmt"
	"os"
	"path/filepath"
)

// UID and GID are what a function runs as when the launcher is root: those of
// Lambda's sbx_user1051. Without root it runs as 0 in a user namespace where
// that is the invoking user and nobody else exists.
const (
	UID = 993
	GID = 990
)

// TaskDir is where a function's own files stand and where it starts.
const TaskDir = "/var/task"

var baseDirs = []string{
	"dev", "etc", "etc/ssl", "etc/ssl/certs", "etc/pki", "etc/pki/tls", "etc/pki/tls/certs", "home",
	"opt", "proc", "root", "sys", "tmp", "usr", "var", "var/lang", "var/runtime", "var/task", "var/tmp",
}

// certificates are the places where distributions keep the bundle of root certificates.
var certificates = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}

// buildBase fills both base layers.
func (st *stage) buildBase(top string) error {
	for _, base := range []string{"base", "hostbase"} {
		root := filepath.Join(top, base)
		for _, dir := range baseDirs {
			if base == "hostbase" && dir == "usr" {
				continue
			}
			if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
				return err
			}
		}
		for name, text := range st.baseFiles() {
			if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil {
				return err
			}
		}
		if err := os.Symlink("/etc/ssl/certs/ca-certificates.crt", filepath.Join(root, "etc/pki/tls/certs/ca-bundle.crt")); err != nil {
			return err
		}
	}
	return copyLinker(filepath.Join(top, "hostbase"))
}

func (st *stage) baseFiles() map[string][]byte {
	files := map[string][]byte{
		"etc/passwd":        fmt.Appendf(nil, "root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:%d:%d::/home/sbx_user1051:/sbin/nologin\n", UID, GID),
		"etc/group":         fmt.Appendf(nil, "root:x:0:\nsbx_user1051:x:%d:\n", GID),
		"etc/hosts":         []byte("127.0.0.1 localhost\n::1 localhost\n"),
		"etc/nsswitch.conf": []byte("passwd: files\ngroup: files\nhosts: files dns\n"),
		"etc/resolv.conf":   nil,
	}
	if text, err := os.ReadFile("/etc/resolv.conf"); err == nil {
		files["etc/resolv.conf"] = text
	}
	for _, path := range certificates {
		if text, err := os.ReadFile(path); err == nil {
			files["etc/ssl/certs/ca-certificates.crt"] = text
			break
		}
	}
	return files
}

// copyLinker copies what the host's dynamic linker and its links to commands
// need beside /usr. What the host doesn't have is left out.
func copyLinker(root string) error {
	if text, err := os.ReadFile("/etc/ld.so.cache"); err == nil {
		if err := os.WriteFile(filepath.Join(root, "etc/ld.so.cache"), text, 0o644); err != nil {
			return err
		}
	}
	links, err := os.ReadDir("/etc/alternatives")
	if err != nil {
		return nil
	}
	if err := os.Mkdir(filepath.Join(root, "etc/alternatives"), 0o755); err != nil {
		return err
	}
	for _, l := range links {
		if to, err := os.Readlink(filepath.Join("/etc/alternatives", l.Name())); err == nil {
			if err := os.Symlink(to, filepath.Join(root, "etc/alternatives", l.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
