package main

import (
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// result is one line of output.
type result struct {
	Scenario   string  `json:"scenario"`
	Size       string  `json:"size"`
	C          int     `json:"c"`
	N          int     `json:"n"`
	Seconds    float64 `json:"seconds"`
	PerSecond  float64 `json:"perSecond"`
	P50Ms      float64 `json:"p50Ms"`
	P99Ms      float64 `json:"p99Ms"`
	MaxMs      float64 `json:"maxMs"`
	CPUSeconds float64 `json:"serverCpuSeconds,omitempty"`
	CPUMsPerOp float64 `json:"serverCpuMsPerOp,omitempty"`
	PeakMB     float64 `json:"serverPeakMB,omitempty"`
}

// measure lets all workers do the operations and times each, and begins none after `longest`, if that is not 0. The first failure ends
// the run.
func measure(do operation, workers, total, pid int, longest time.Duration) (result, error) {
	times := make([]time.Duration, total)
	var next, done atomic.Int64
	var failure atomic.Value
	var group sync.WaitGroup
	forgetPeak(pid)
	cpu := cpuSeconds(pid)
	start := time.Now()
	for worker := range workers {
		group.Go(func() {
			for failure.Load() == nil {
				began := time.Now()
				i := int(next.Add(1) - 1)
				if i >= total || longest > 0 && began.Sub(start) > longest {
					return
				}
				if err := do(worker, i); err != nil {
					failure.Store(failed{err})
					return
				}
				times[done.Add(1)-1] = time.Since(began)
			}
		})
	}
	group.Wait()
	seconds := time.Since(start).Seconds()
	cpu = cpuSeconds(pid) - cpu
	if first, ok := failure.Load().(failed); ok {
		return result{}, first.error
	}
	total = int(done.Load())
	times = times[:total]
	sort.Slice(times, func(a, b int) bool { return times[a] < times[b] })
	ms := func(q float64) float64 { return float64(times[int(q*float64(total-1))].Microseconds()) / 1000 }
	count := float64(total)
	return result{C: workers, N: total, Seconds: seconds, PerSecond: count / seconds, P50Ms: ms(0.5), P99Ms: ms(0.99), MaxMs: ms(1),
		CPUSeconds: cpu, CPUMsPerOp: cpu * 1000 / count, PeakMB: peakMB(pid)}, nil
}

// failed gives errors of any kind one type, which atomic.Value asks for.
type failed struct{ error }
