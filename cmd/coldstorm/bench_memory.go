package main

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
)

// memory is what the kernel says of the machine's memory and of its own objects.
type memory struct {
	info     map[string]float64 // bytes, by the names of /proc/meminfo (proc(5))
	networks int                // network namespaces, dying ones and free places in their slabs included; 0 for who may not read /proc/slabinfo
}

func readMemory() memory {
	m := memory{info: map[string]float64{}}
	text, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		if f := strings.Fields(rest); len(f) == 2 && f[1] == "kB" {
			kib, _ := strconv.ParseFloat(f[0], 64)
			m.info[name] = kib * 1024
		}
	}
	slabs, _ := os.ReadFile("/proc/slabinfo")
	for s := bufio.NewScanner(bytes.NewReader(slabs)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) > 2 && f[0] == "net_namespace" {
			m.networks, _ = strconv.Atoi(f[1])
		}
	}
	return m
}

func (m memory) of(name string) float64 { return m.info[name] }

// used is all memory that isn't free, but for the page cache of files, which the kernel
// gives back when it is asked. Shared memory and tmpfs are no such cache.
func (m memory) used() float64 {
	return m.of("MemTotal") - m.of("MemFree") - m.of("Buffers") - m.of("Cached") + m.of("Shmem")
}
