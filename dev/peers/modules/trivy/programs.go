//go:build programs

// Package trivy names the program that is built from this module.
package trivy

import _ "github.com/aquasecurity/trivy/cmd/trivy"
