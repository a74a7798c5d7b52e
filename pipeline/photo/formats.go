package photo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pictureFormat is one kind of file, known by its extensions.
type pictureFormat struct {
	name       string
	extensions []string
	deep       bool // has 16 bits a sample
	alpha      bool
	film       bool // is read as a film on the command line
}

var pictureFormats = []pictureFormat{
	{name: "jpeg", extensions: []string{".jpg", ".jpeg", ".jpe", ".jfif"}},
	{name: "png", extensions: []string{".png"}, deep: true, alpha: true},
	{name: "tiff", extensions: []string{".tif", ".tiff"}, deep: true, alpha: true},
	{name: "webp", extensions: []string{".webp"}, alpha: true},
	{name: "heif", extensions: []string{".heic", ".heif"}, deep: true, alpha: true},
	{name: "avif", extensions: []string{".avif"}, deep: true, alpha: true},
	{name: "jxl", extensions: []string{".jxl"}, deep: true, alpha: true},
	{name: "jp2k", extensions: []string{".jp2", ".j2k"}, deep: true, alpha: true},
	{name: "bmp", extensions: []string{".bmp"}},
	{name: "gif", extensions: []string{".gif"}, alpha: true, film: true},
}

func formatOf(path string) (pictureFormat, bool) {
	ext := strings.ToLower(filepath.Ext(path))
	for _, f := range pictureFormats {
		if slices.Contains(f.extensions, ext) {
			return f, true
		}
	}
	return pictureFormat{}, false
}

// ExtensionOf returns the extension of a file that begins so, or .png if this build does not
// write its format.
func ExtensionOf(head []byte) string {
	name := kindName(head)
	for _, f := range pictureFormats {
		if f.name == name && writable(f) == nil {
			return f.extensions[0]
		}
	}
	return ".png"
}

// Extensions returns the extensions of photos, in lower case, with the dot.
func Extensions() []string {
	var all []string
	for _, f := range pictureFormats {
		if !f.film {
			all = append(all, f.extensions...)
		}
	}
	return all
}

// IsPhoto reports whether the extension is that of a photo. A GIF is a film, even if it is
// still.
func IsPhoto(path string) bool {
	f, ok := formatOf(path)
	return ok && !f.film
}

// CanWrite reports why Write would fail: because of an extension that this build cannot
// write, or a folder that is missing or protected. It is for use before any painting.
func CanWrite(path string) error {
	f, err := outputFormat(path)
	if err != nil {
		return err
	}
	if err := writable(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	probe, err := os.CreateTemp(filepath.Dir(path), ".*.partial")
	if err != nil {
		return ExplainFileError(path, err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}

func outputFormat(path string) (pictureFormat, error) {
	f, ok := formatOf(path)
	if !ok {
		return f, fmt.Errorf("%s: no picture format has the extension %q; use one of %s", path, filepath.Ext(path), strings.Join(Extensions(), " "))
	}
	return f, nil
}
