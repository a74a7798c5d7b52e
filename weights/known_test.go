package weights

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSlim(t *testing.T) {
	if errs := Verify(t.TempDir()); len(errs) > 0 {
		t.Fatal(errs)
	}
	n := Slim()
	if n.SHA256 != slimSHA256 || n.Name != "slim" || !slices.Equal(n.Poolings, []Pooling{MaxPooling}) || n.Mean != imageNetMean || n.Std != imageNetStd {
		t.Errorf("got %s %s, poolings %v", n.Name, n.SHA256, n.Poolings)
	}
	var widths []int
	for _, l := range n.Layers {
		widths = append(widths, l.Out)
	}
	if !slices.Equal(widths, []int{32, 32, 64, 64, 96, 96, 96, 192, 192, 192, 256}) {
		t.Errorf("widths %v", widths)
	}
	last := n.Layers[10]
	if last.Tap() != "relu5_1" || last.Metric == nil || last.Metric.Channels != 512 || last.Metric.Style != 5.2974 || last.Metric.Content != 2.8193 {
		t.Errorf("last layer %s, of %d channels", last.Tap(), last.Out)
	}
	if same, err := Load("slim", ""); err != nil || same != n {
		t.Errorf("Load gave another slim, error %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		"vgg61": "did you mean vgg16?", "Slim": "did you mean slim?", "resnet": "there are slim, vgg16",
		"vgg16": "make weights",
	} {
		if _, err := Load(name, dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if _, err := Load("resnet", dir); strings.Contains(err.Error(), "did you mean") {
		t.Errorf("far name: %v", err)
	}
}

// A file of the right name and form but with other numbers is not used.
func TestDamagedFileIsFound(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "vgg16.f32.safetensors")
	if err := writeSafetensors(path, tiny().arrays(), tinyMetadata()); err != nil {
		t.Fatal(err)
	}
	_, err := Load("vgg16", dir)
	for _, want := range []string{path, "damaged", "make weights", vgg16F32SHA256} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if errs := Verify(dir); len(errs) != 1 || errs[0].Error() != err.Error() {
		t.Errorf("Verify: %v", errs)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	infos := List(dir)
	if len(infos) != 2 || infos[0].Name != "slim" || !infos[0].Present || infos[0].Path != "" || infos[0].Size != 3979144 {
		t.Fatalf("got %+v", infos)
	}
	if v := infos[1]; v.Present || v.Path != filepath.Join(dir, "vgg16.f16.safetensors") || v.SHA256 != vgg16F16SHA256 {
		t.Errorf("missing vgg16: %+v", v)
	}
	if err := os.WriteFile(filepath.Join(dir, "vgg16.f32.safetensors"), []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	if v := List(dir)[1]; !v.Present || v.Size != 5 || v.SHA256 != vgg16F32SHA256 {
		t.Errorf("vgg16 in f32: %+v", v)
	}
	for _, i := range infos {
		if i.Licence == "" || i.Attribution == "" || i.Description == "" {
			t.Errorf("%s lacks licence, attribution or description", i.Name)
		}
	}
}

// The script that fetches the files checks the same hashes.
func TestFetchScriptHasTheHashes(t *testing.T) {
	script := string(must(os.ReadFile("fetch_vgg16.sh")))
	for _, hash := range []string{lpipsSHA256, vgg16F16SHA256, vgg16F32SHA256} {
		if !strings.Contains(script, hash) {
			t.Errorf("fetch_vgg16.sh does not check %s", hash)
		}
	}
}
