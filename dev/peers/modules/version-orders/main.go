// Command go-versions orders pairs of versions as golang.org/x/mod/semver (go), go/version of the Go it was built with (release)
// or bitnami/go-version (bitnami) does.
package main

import (
	"bufio"
	"fmt"
	goversion "go/version"
	"os"
	"strings"

	bitnami "github.com/bitnami/go-version/pkg/version"
	"golang.org/x/mod/semver"
)

// Only the order of two valid versions counts; the others get a question mark.
func goOrder(a, b string) (int, bool) {
	a, b = "v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v")
	return semver.Compare(a, b), semver.IsValid(a) && semver.IsValid(b)
}

func releaseOrder(a, b string) (int, bool) {
	return goversion.Compare(a, b), goversion.IsValid(a) && goversion.IsValid(b)
}

func bitnamiOrder(a, b string) (int, bool) {
	left, errLeft := bitnami.Parse(a)
	right, errRight := bitnami.Parse(b)
	if errLeft != nil || errRight != nil {
		return 0, false
	}
	return left.Compare(right), true
}

func main() {
	order := map[string]func(a, b string) (int, bool){"go": goOrder, "release": releaseOrder, "bitnami": bitnamiOrder}[os.Args[1]]
	lines := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		a, b, _ := strings.Cut(lines.Text(), "\t")
		sign, ok := order(a, b)
		if !ok {
			fmt.Fprintln(out, "?")
			continue
		}
		fmt.Fprintln(out, string("<=>"[sign+1]))
	}
}
