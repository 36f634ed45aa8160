package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// family lists the process and all its descendants.
func family(root int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if fields := statFields(path); len(fields) > 1 {
			parent, _ := strconv.Atoi(fields[1])
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			children[parent] = append(children[parent], child)
		}
	}
	members := []int{root}
	for i := 0; i < len(members); i++ {
		members = append(members, children[members[i]]...)
	}
	return members
}

// statFields are the fields of /proc/PID/stat after the command name: state, parent, ... utime and stime at 11 and 12.
func statFields(path string) []string {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
}

func cpuSeconds(root int) float64 {
	if root == 0 {
		return 0
	}
	ticks := 0.0
	for _, member := range family(root) {
		if fields := statFields(fmt.Sprintf("/proc/%d/stat", member)); len(fields) > 14 {
			for _, field := range fields[11:15] { // own and reaped children's user and system time
				n, _ := strconv.ParseFloat(field, 64)
				ticks += n
			}
		}
	}
	return ticks / 100
}

// forgetPeak lets the kernel count the highest resident memory anew (proc(5), clear_refs).
func forgetPeak(root int) {
	if root == 0 {
		return
	}
	for _, member := range family(root) {
		os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", member), []byte("5"), 0)
	}
}

// peakMB is the highest resident memory since then.
func peakMB(root int) float64 {
	if root == 0 {
		return 0
	}
	sum := 0.0
	for _, member := range family(root) {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", member))
		for line := range strings.Lines(string(status)) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
				kb, _ := strconv.ParseFloat(fields[1], 64)
				sum += kb
			}
		}
	}
	return sum / 1024
}
