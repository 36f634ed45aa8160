// regbench puts the same load on any OCI registry or admission webhook and prints what it did per second, how long requests
// took, and what it cost the server; or it runs a program to its end and prints what that cost.
//
// Digests are computed before the clock starts, layers are incompressible and unique, every response is checked, and one failed
// request fails the run. With -pid it also reads the server's CPU time and peak memory, children included: on a machine shared
// by client and server, CPU per operation is the figure that repeats.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
)

var (
	base     = flag.String("url", "http://127.0.0.1:5000", "registry, or the whole address of the webhook")
	creds    = flag.String("user", "", "user:password, used as Basic or to fetch Bearer tokens")
	scenario = flag.String("scenario", "push", "push | push-chunked | pull | manifest-tag | manifest-digest | head-blob | mixed | tags | catalog | populate (no more than what -tags asks for) | admit | run (a program to its end: regbench -scenario run -- PROGRAM ARGUMENT...)")
	size     = flag.String("size", "1MB", "layer size, e.g. 64KB 1MB 100MB")
	file     = flag.String("layer", "", "file with a gzipped layer to push instead of noise of some size")
	workers  = flag.Int("c", 2, "requests at a time")
	total    = flag.Int("n", 100, "operations")
	longest  = flag.Duration("longest", 0, "begin no operation after this time, e.g. 10s; 0: do all")
	prefix   = flag.String("repo", "bench", "repository prefix, lower case; each worker has its own repository under it")
	tagCount = flag.Int("tags", 0, "tagged manifests to put there first, what a year of builds leaves; all workers then share one repository (-scenario tags and populate: 1000 if not given)")
	there    = flag.Bool("populated", false, "the tagged manifests are there already, from -scenario populate")
	review   = flag.String("review", "", "admit: file with the AdmissionReview to send")
	denied   = flag.Bool("denied", false, "admit: the review must be denied (otherwise: allowed)")
	pid      = flag.Int("pid", 0, "process id of the server, to read its CPU time and memory")
	mayFail  = flag.Bool("may-fail", false, "run: exit code 1 is an answer too, as scanners give it when they find something")
	asJSON   = flag.Bool("json", false, "print JSON")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "regbench:", err)
		os.Exit(1)
	}
}

func run() error {
	if *scenario == "run" {
		if *mayFail {
			return runProgram(flag.Args(), []int{0, 1})
		}
		return runProgram(flag.Args(), []int{0})
	}
	length, err := parseSize(*size)
	if err != nil {
		return err
	}
	if length < smallest {
		return fmt.Errorf("a layer has at least %d bytes", smallest)
	}
	if *workers < 1 || *total < 1 {
		return fmt.Errorf("-c and -n must be at least 1")
	}
	if (*scenario == "tags" || *scenario == "populate") && *tagCount == 0 {
		*tagCount = 1000
	}
	if *scenario == "populate" {
		*total, *workers = *tagCount, 1
	}
	c := newClient(*base, *creds, *workers*2)
	l := &load{scenario: *scenario, length: length, workers: *workers, total: *total, prefix: *prefix, tags: *tagCount, populated: *there, review: *review, wantAllow: !*denied}
	if *file != "" {
		if l.layer, err = os.ReadFile(*file); err != nil {
			return err
		}
		if l.diff, err = diffID(l.layer); err != nil {
			return err
		}
	}
	do, err := l.prepare(c)
	if err != nil {
		return err
	}
	r, err := measure(do, *workers, *total, *pid, *longest)
	if err != nil {
		return err
	}
	r.Scenario, r.Size = *scenario, *size
	if *asJSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	fmt.Printf("%-16s %-6s c=%-3d n=%-5d %10.1f/s  p50 %8.2f ms  p99 %8.2f ms  max %8.2f ms", r.Scenario, r.Size, r.C, r.N, r.PerSecond, r.P50Ms, r.P99Ms, r.MaxMs)
	if *pid > 0 {
		fmt.Printf("  cpu %8.3f ms/op  peak %.0f MB", r.CPUMsPerOp, r.PeakMB)
	}
	fmt.Println()
	return nil
}

func parseSize(s string) (int64, error) {
	for suffix, factor := range map[string]int64{"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30} {
		if number, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			return n * factor, err
		}
	}
	return strconv.ParseInt(s, 10, 64)
}
