package photo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A format is one kind of file, by its extensions.
type format struct {
	name       string
	extensions []string
	deep       bool // holds 16 bits a sample
	alpha      bool
	film       bool // belongs to video when named on the command line
}

var formats = []format{
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

func formatOf(path string) (format, bool) {
	ext := strings.ToLower(filepath.Ext(path))
	for _, f := range formats {
		if slices.Contains(f.extensions, ext) {
			return f, true
		}
	}
	return format{}, false
}

// Extensions lists what IsPhoto knows, lower case, with the dot.
func Extensions() []string {
	var all []string
	for _, f := range formats {
		if !f.film {
			all = append(all, f.extensions...)
		}
	}
	return all
}

// IsPhoto tells by the extension; a GIF goes to the film side, still or not.
func IsPhoto(path string) bool {
	f, ok := formatOf(path)
	return ok && !f.film
}

// CanWrite reports, before any painting, what would stop Write: an extension that
// this build cannot write, a folder that is missing or may not be written to.
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
		return explain(path, err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}

func outputFormat(path string) (format, error) {
	f, ok := formatOf(path)
	if !ok {
		return f, fmt.Errorf("%s: no picture format has the extension %q; use one of %s", path, filepath.Ext(path), strings.Join(Extensions(), " "))
	}
	return f, nil
}
