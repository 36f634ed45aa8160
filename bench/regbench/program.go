package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// cost is what one run of a program took, its children included.
type cost struct {
	Code       int     `json:"code"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpuSeconds"`
	PeakMB     float64 `json:"peakMB"`
}

// runProgram runs a program to its end with its standard output thrown away, as the kernel accounts for it. An exit code that is
// not among `codes` is an error: a scanner that fails fast must not look fast.
func runProgram(command []string, codes []int) error {
	if len(command) == 0 {
		return errors.New("-scenario run needs a program: regbench -scenario run -- PROGRAM ARGUMENT...")
	}
	program := exec.Command(command[0], command[1:]...)
	program.Stderr = os.Stderr
	began := time.Now()
	err := program.Run()
	seconds := time.Since(began).Seconds()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	state := program.ProcessState
	if !slices.Contains(codes, state.ExitCode()) {
		return fmt.Errorf("%v ended with %v", command, state)
	}
	result := cost{Code: state.ExitCode(), Seconds: seconds, CPUSeconds: (state.UserTime() + state.SystemTime()).Seconds()}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		result.PeakMB = float64(usage.Maxrss) / 1024
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
