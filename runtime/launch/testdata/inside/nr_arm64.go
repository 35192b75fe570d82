package main

const (
	sysPivotRoot = 41
	sysKeyctl    = 219
	sysBPF       = 280
)
