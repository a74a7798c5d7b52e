package photo

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/pipeline/recipe"
)

// A recipe is found in what both builds write, and the picture is still read.
func TestWriteRecipe(t *testing.T) {
	made := &recipe.Recipe{Program: "test", Inputs: []string{"in.jpg"}}
	for _, name := range []string{"a.png", "a.jpg"} {
		path := filepath.Join(t.TempDir(), name)
		if err := WriteAs(true, path, "", filter.NewFrame(20, 17), made); err != nil {
			t.Fatal(err)
		}
		if f, err := Read(path); err != nil || f.W != 20 || f.H != 17 {
			t.Errorf("%s: %v", name, err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := recipe.Find(bytes.NewReader(data))
		if err != nil || got.XMP() != made.XMP() {
			t.Errorf("%s: %+v, error %v", name, got, err)
		}
	}
	long := &recipe.Recipe{Program: strings.Repeat("x", mostJPEGXMP), Inputs: []string{"in.jpg"}}
	path := filepath.Join(t.TempDir(), "long.jpg")
	if err := WriteAs(true, path, "", filter.NewFrame(20, 17), long); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err != nil {
		t.Error(err)
	}
}
