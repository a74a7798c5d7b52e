package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"nstfilter/pipeline"
	"nstfilter/video/outfile"
	"nstfilter/weights"
)

type weightsCmd struct {
	List   weightsListCmd   `cmd:"" help:"List the networks that --network knows."`
	Verify weightsVerifyCmd `cmd:"" help:"Check the hashes, shapes and numbers of those that are built in."`
	Import weightsImportCmd `cmd:"" help:"Make a network of a file of PyTorch."`
}

// networkFolder is where weights import puts a network and --network finds it.
func networkFolder() string {
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = os.TempDir()
		}
		data = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(data, "nstfilter")
}

type weightsListCmd struct{}

func (weightsListCmd) Run(*commandEnv) error {
	for _, i := range weights.List() {
		fmt.Printf("%s: %s\n    %s\n    %s, %.0f MB\n", i.Name, i.Description, i.Attribution, i.Licence, float64(i.Size)/1e6)
	}
	for _, p := range weights.ToImport() {
		if n, err := weights.Named(p.Name, networkFolder()); err != nil {
			fmt.Printf("%s: not here\n    %v\n", p.Name, err)
		} else {
			fmt.Printf("%s: imported, to %s\n    %s\n", p.Name, n.Layers[len(n.Layers)-1].Tap(), filepath.Join(networkFolder(), p.Name+".safetensors"))
		}
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

type weightsImportCmd struct {
	File      string `arg:"" help:"FILE.pth, a VGG-11, 13, 16 or 19 as torchvision publishes it: without batch normalisation."`
	Out       string `arg:"" optional:"" help:"FILE.safetensors for --weights; without it the network goes where --network finds it by its name."`
	Overwrite bool   `name:"overwrite" short:"y" help:"Replace OUT if it is there."`
}

// Help returns what --help says below the usage.
func (*weightsImportCmd) Help() string {
	return `Paint with VGG-19:

    curl -O https://download.pytorch.org/models/vgg19-dcbb9e9d.pth
    nstfilter weights import vgg19-dcbb9e9d.pth
    nstfilter --network vgg19 --style night.jpg in.jpg out.jpg

Nothing that the file holds is run, and its classifier is not read.`
}

func (c *weightsImportCmd) Run(*commandEnv) error {
	if c.Out != "" && !strings.HasSuffix(c.Out, ".safetensors") {
		return pipeline.UsageErrorf("%s: a network is written to a .safetensors file: give it this extension", c.Out)
	}
	n, err := weights.ImportTorch(c.File)
	if err != nil {
		return err
	}
	name, out := n.Network.Name, c.Out
	option := "--weights " + out
	if out == "" {
		if weights.IsBuiltIn(name) {
			return pipeline.UsageErrorf("%s is built in, as --network %s: to paint with this file instead, name another: nstfilter weights import %s %s.safetensors", name, name, c.File, name)
		}
		out, option = filepath.Join(networkFolder(), name+".safetensors"), "--network "+name
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			return err
		}
	}
	mode := outfile.Keep
	if c.Overwrite {
		mode = outfile.Replace
	}
	if err := outfile.Write(out, mode, func(w io.Writer) error { _, err := w.Write(n.File); return err }); err != nil {
		return err
	}
	if n.Differs != "" {
		fmt.Printf("%s: %s\n", c.File, n.Differs)
	}
	fmt.Printf("%s: %s to %s, %.0f MB: paint with %s\n", out, name, n.Network.Layers[len(n.Network.Layers)-1].Tap(), float64(len(n.File))/1e6, option)
	return nil
}
