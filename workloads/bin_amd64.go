package workloads

import "embed"

// bin holds the functions as make build has compiled them for this processor.
//
//go:embed all:bin/amd64
var bin embed.FS
