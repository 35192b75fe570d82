package image

import (
	"embed"
	"regexp"
	"strings"
)

// A language is one whose handlers coldstorm runs by a small runtime of its own,
// as Lambda does by its managed ones: AWS's are not to be had outside of images.
type language struct {
	name    string   // that AWS's names of runtimes begin with: python3.13, nodejs22.x
	handler string   // what the console names a new function's
	exts    []string // of files that hold one
	exports *regexp.Regexp

	programs []string // interpreters, the usual name first
	version  *regexp.Regexp
	runtime  func(version []string) string // AWS's name, by what version found
	main     string                        // of the runtime, in its folder
	flags    func(memoryMB int) []string   // of the interpreter
	env      func(runtime string) []string // variables that a function may set otherwise
	packages string                        // Debian's
}

//go:embed bootstraps
var bootstraps embed.FS

// runtimeDir is where managed runtimes stand (LAMBDA_RUNTIME_DIR).
const runtimeDir = "/var/runtime"

var languages = []language{{
	name: "python", handler: "lambda_function.lambda_handler", exts: []string{".py"},
	exports:  regexp.MustCompile(`\blambda_handler\b`),
	programs: []string{"python3", "python"}, version: regexp.MustCompile(`^Python (3\.\d+)`),
	runtime: func(v []string) string { return "python" + v[1] },
	main:    "bootstrap.py", packages: "python3",
	flags: func(int) []string { return []string{"-u"} }, // what a function writes is there before it is frozen
	env:   func(string) []string { return []string{"PYTHONPATH=" + runtimeDir} },
}, {
	name: "nodejs", handler: "index.handler", exts: []string{".js", ".mjs", ".cjs"},
	exports:  regexp.MustCompile(`(?s)\bexports?\b.*\bhandler\b|\bhandler\b.*\bexports?\b`),
	programs: []string{"node", "nodejs"}, version: regexp.MustCompile(`^v(\d+)\.`),
	runtime: func(v []string) string { return "nodejs" + v[1] + ".x" },
	main:    "bootstrap.mjs", packages: "nodejs",
	flags: nodeFlags, env: nodeEnv,
}}

// nodeFlags give a tenth of the memory to what is young, as AWS's runtime does
// (bootstrap of its image of nodejs18.x).
func nodeFlags(memoryMB int) []string {
	flags := []string{"--expose-gc", "--max-http-header-size=81920"}
	if memoryMB > 0 {
		young := memoryMB / 10
		flags = append(flags, "--max-semi-space-size="+itoa(young/2), "--max-old-space-size="+itoa(memoryMB-young))
	}
	return flags
}

// nodeEnv is where modules are looked for beside the function's own (AWS
// developer guide: "Runtime search path").
func nodeEnv(runtime string) []string {
	major := strings.TrimSuffix(strings.TrimPrefix(runtime, "nodejs"), ".x")
	return []string{"NODE_PATH=" + strings.Join([]string{
		"/opt/nodejs/node" + major + "/node_modules", "/opt/nodejs/node_modules", runtimeDir + "/node_modules", runtimeDir, "/var/task",
	}, ":")}
}

// languageOf finds the language of a runtime that AWS names so.
func languageOf(runtime string) *language {
	for i, l := range languages {
		if strings.HasPrefix(runtime, l.name) {
			return &languages[i]
		}
	}
	return nil
}
