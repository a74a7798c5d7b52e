//go:build cgo && !novips

package photo

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"nstfilter/filter"
	"nstfilter/pipeline/recipe"
)

// A recipe joins the XMP that a photo has, in each format that keeps XMP, and takes the place
// of an older one. XMP that nothing can be put into stays as it is, and a note says so.
func TestRecipeJoinsXMP(t *testing.T) {
	const kept = `<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">Kept</dc:title>`
	const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description>` + kept + `</rdf:Description></rdf:RDF></x:xmpmeta>`
	folder := t.TempDir()
	blank := filepath.Join(folder, "blank.png")
	if err := Write(blank, "", filter.NewFrame(20, 17)); err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(blank)
	if err != nil {
		t.Fatal(err)
	}
	write := func(in *filter.Frame, name, options string, made *recipe.Recipe) []byte {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := WriteAs(true, path, options, in, made); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	older, newer := &recipe.Recipe{Program: "older", Inputs: []string{"a"}}, &recipe.Recipe{Program: "newer", Inputs: []string{"b"}}
	for _, name := range []string{"a.png", "a.jpg", "a.webp", "a.tif", "a.heic"} {
		in, err := Decode("titled.png", pngWithXMP(plain, []byte(xmp)))
		if err != nil {
			t.Fatal(err)
		}
		once := write(in, name, "", older)
		if in, err = Decode(name, once); err != nil {
			t.Fatal(err)
		}
		twice := write(in, name, "", newer)
		got, err := recipe.Find(bytes.NewReader(twice))
		if err != nil || got.XMP() != newer.XMP() {
			t.Errorf("%s: %+v, error %v", name, got, err)
		}
		if !bytes.Contains(twice, []byte(kept)) || bytes.Contains(twice, []byte("older")) {
			t.Errorf("%s: the photo's own XMP is gone, or the older recipe is not", name)
		}
		if in, err = Decode(name, twice); err != nil {
			t.Fatal(err)
		}
		without := write(in, name, "", nil)
		if _, err := recipe.Find(bytes.NewReader(without)); err == nil || !bytes.Contains(without, []byte(kept)) {
			t.Errorf("%s, without: %v", name, err)
		}
		if name != "a.heic" {
			if stripped := write(in, name, "strip", newer); bytes.Contains(stripped, []byte("newer")) || bytes.Contains(stripped, []byte(kept)) {
				t.Errorf("%s: [strip] leaves XMP", name)
			}
		}
	}
	in, err := Decode("odd.png", pngWithXMP(plain, []byte("<odd, cut short")))
	if err != nil {
		t.Fatal(err)
	}
	if data := write(in, "odd.jpg", "", newer); !bytes.Contains(data, []byte("<odd, cut short")) || bytes.Contains(data, []byte("newer")) {
		t.Error("XMP that cannot be read did not stay as it was")
	}
	if notes := in.Origin.(*Photo).Notes; len(notes) != 1 {
		t.Errorf("notes %q", notes)
	}
}
