package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/edsrzf/mmap-go"
)

// Published is a network that torchvision publishes as a file, which ImportTorch reads.
type Published struct {
	Name   string
	URL    string
	SHA256 string // its first eight digits, which torchvision puts into the file's name
}

var published = []Published{
	{"vgg16", "https://download.pytorch.org/models/vgg16-397923af.pth", "397923af"},
	{"vgg19", "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth", "dcbb9e9d"},
}

// Imported is a network from a file of PyTorch.
type Imported struct {
	Network *Network
	File    []byte // in safetensors format, as Open reads it
	SHA256  string // of PyTorch's file
	// Differs says that the file is not the one that torchvision publishes under this name.
	Differs string
}

// ImportTorch reads a VGG without batch normalisation (11, 13, 16 or 19) that PyTorch has
// saved with torchvision's names, features.0.weight and so on. Its input is taken to be
// torchvision's: RGB in [0,1] with ImageNet's mean and deviation. It runs nothing that the
// file holds. The classifier is not read.
func ImportTorch(path string) (*Imported, error) {
	info, err := os.Stat(path) // before opening: a FIFO would wait for its writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return nil, fmt.Errorf("%s: not a regular file, or empty; give the path of a .pth file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := mmap.Map(f, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be mapped into memory: %w", path, err)
	}
	out, err := importTorch(path, data)
	return out, errors.Join(err, data.Unmap())
}

func importTorch(path string, data []byte) (*Imported, error) {
	f, err := parseTorch(path, data)
	if err != nil {
		return nil, err
	}
	layers, err := f.vggLayers()
	if err != nil {
		return nil, err
	}
	var arrays []array
	for _, l := range layers {
		for _, part := range []string{"weight", "bias"} {
			a, err := f.array(fmt.Sprintf("features.%d.%s", l.number, part))
			if err != nil {
				return nil, err
			}
			a.name = fmt.Sprintf("conv%v.%s", l.position, part)
			arrays = append(arrays, a)
		}
	}
	sum := sha256.Sum256(data)
	out := &Imported{SHA256: hex.EncodeToString(sum[:])}
	name := fmt.Sprintf("vgg%d", len(layers)+3) // VGG counts the classifier's three layers too
	var file bytes.Buffer
	if err := encodeSafetensors(&file, arrays, map[string]string{
		"format": "nstfilter", "network": name, "pooling": string(MaxPooling), "input": "rgb01",
		"mean": text(imageNetMean), "std": text(imageNetStd),
		"provenance": fmt.Sprintf("%s, SHA-256 %s", filepath.Base(path), out.SHA256),
	}); err != nil {
		return nil, err
	}
	out.File = file.Bytes()
	s, err := ParseSafetensors(path, out.File)
	if err != nil {
		return nil, err
	}
	if out.Network, err = s.network(); err != nil {
		return nil, err
	}
	for _, p := range published {
		if p.Name == name && !strings.HasPrefix(out.SHA256, p.SHA256) {
			out.Differs = fmt.Sprintf("its SHA-256 begins with %.8s, that of torchvision's %s with %s: it was trained otherwise, or changed", out.SHA256, filepath.Base(p.URL), p.SHA256)
		}
	}
	return out, nil
}

// text writes what triple reads.
func text(v [3]float32) string { return fmt.Sprintf("%g,%g,%g", v[0], v[1], v[2]) }

// numbered is a convolution and its number in torchvision's features.
type numbered struct {
	number int
	position
}

var featureName = regexp.MustCompile(`^features\.(0|[1-9][0-9]?)\.weight$`)

// vggLayers names the convolutions by their numbers. A ReLU follows each, and takes one
// number; where one more is left out there is a pooling.
func (f *torchFile) vggLayers() (layers []numbered, err error) {
	var numbers []int
	for _, name := range f.names {
		m := featureName.FindStringSubmatch(name)
		switch {
		case m != nil && len(f.tensors[name].shape) == 4:
			n, _ := strconv.Atoi(m[1])
			if bias := fmt.Sprintf("features.%d.bias", n); f.tensors[bias] == nil {
				return nil, fmt.Errorf("%s: %s has no %s beside it: only torchvision's VGG-11, 13, 16 and 19 are read", f.name, name, bias)
			}
			numbers = append(numbers, n)
		case m != nil, !strings.HasPrefix(name, "classifier.") && !strings.HasSuffix(name, ".bias"):
			return nil, fmt.Errorf("%s: %q is no convolution of a VGG: only torchvision's VGG-11, 13, 16 and 19 are read, without batch normalisation", f.name, name)
		}
	}
	slices.Sort(numbers)
	at, next := position{1, 1}, 0
	for _, n := range numbers {
		switch n - next {
		case 0:
		case 1:
			at = position{at.block + 1, 1}
		default:
			return nil, fmt.Errorf("%s: features.%d.weight is missing, or %d is no VGG's: only torchvision's VGG-11, 13, 16 and 19 are read", f.name, next, n)
		}
		layers = append(layers, numbered{n, at})
		at.index++
		next = n + 2
	}
	return layers, nil
}

// Named returns the network of that name: one that is built in, or one that was imported into
// the folder as NAME.safetensors. Those that are built in are shared: do not change them.
func Named(name, folder string) (*Network, error) {
	i := slices.IndexFunc(published, func(p Published) bool { return p.Name == name })
	if i < 0 || IsBuiltIn(name) {
		return Load(name)
	}
	file := filepath.Join(folder, name+".safetensors")
	n, err := Open(file)
	if errors.Is(err, os.ErrNotExist) {
		url := published[i].URL
		return nil, fmt.Errorf("network %s is not built in, and there is no %s: fetch %s (0.5 GB), then: nstfilter weights import %s", name, file, url, filepath.Base(url))
	}
	return n, err
}

// IsBuiltIn reports whether Load knows the name.
func IsBuiltIn(name string) bool {
	return slices.ContainsFunc(networks, func(i Info) bool { return i.Name == name })
}

// ToImport lists the networks that Named knows once they have been imported.
func ToImport() (out []Published) {
	for _, p := range published {
		if !IsBuiltIn(p.Name) {
			out = append(out, p)
		}
	}
	return out
}
