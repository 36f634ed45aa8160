// Command openvex-check reads OpenVEX documents with the library of the format's own project, validates every statement, and says what
// it reads them to mean: one JSON line for each statement. It ends with 1 when something is invalid.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/openvex/go-vex/pkg/vex"
)

type meaning struct {
	Vulnerability string   `json:"vulnerability"`
	Status        string   `json:"status"`
	Products      []string `json:"products"`
	Components    []string `json:"components"`
}

func main() {
	failed := false
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(path string) error {
	document, err := vex.Load(path)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	for i := range document.Statements {
		statement := &document.Statements[i]
		if err := statement.Validate(); err != nil {
			return fmt.Errorf("statement %d: %w", i, err)
		}
		said := meaning{Vulnerability: string(statement.Vulnerability.Name), Status: string(statement.Status)}
		for _, product := range statement.Products {
			said.Products = append(said.Products, product.ID)
			for _, component := range product.Subcomponents {
				said.Components = append(said.Components, component.ID)
			}
		}
		if err := encoder.Encode(said); err != nil {
			return err
		}
	}
	return nil
}
