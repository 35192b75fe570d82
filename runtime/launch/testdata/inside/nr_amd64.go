package main

const (
	sysPivotRoot = 155
	sysKeyctl    = 250
	sysBPF       = 321
)
