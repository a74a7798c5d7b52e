package main

import (
	"errors"
	"fmt"

	"nstfilter/weights"
)

type weightsCmd struct {
	List   weightsListCmd   `cmd:"" help:"List the networks that are built in."`
	Verify weightsVerifyCmd `cmd:"" help:"Check their hashes, shapes and numbers."`
}

type weightsListCmd struct{}

func (weightsListCmd) Run(*commandEnv) error {
	for _, i := range weights.List() {
		fmt.Printf("%s: %s\n    %s\n    %s, %.0f MB\n", i.Name, i.Description, i.Attribution, i.Licence, float64(i.Size)/1e6)
	}
	return nil
}

type weightsVerifyCmd struct{}

func (weightsVerifyCmd) Run(*commandEnv) (err error) {
	for _, i := range weights.List() {
		if damage := i.Verify(); damage != nil {
			err = errors.Join(err, damage)
			continue
		}
		fmt.Printf("%s: whole\n", i.Name)
	}
	return err
}
