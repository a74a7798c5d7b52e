package photo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Output is where pictures are written and how: 'out/%s.jpg[Q=90,strip]', as vips writes
// it. Each %s of Path stands for the input's base name without its extension.
type Output struct {
	Path, Options string
	text          string
}

// ParseOutput splits text into the path and the options between the brackets.
func ParseOutput(text string) (Output, error) {
	o := Output{Path: text, text: text}
	if strings.HasSuffix(text, "]") {
		open := strings.LastIndexByte(text, '[')
		if open < 0 {
			return Output{}, fmt.Errorf("output %q: ] without [; write NAME.EXT[option=value,…]", text)
		}
		o.Path, o.Options = text[:open], text[open+1:len(text)-1]
	}
	switch {
	case o.Path == "":
		return Output{}, fmt.Errorf("output %q names no file; write NAME.EXT[option=value,…]", text)
	case o.NamesFolder() && o.Options != "":
		return Output{}, fmt.Errorf("output %q: options are of one format, and results in a folder keep theirs; name it: %q", text, filepath.Join(o.Path, "%s.jpg")+"["+o.Options+"]")
	}
	if strings.ContainsRune(o.Path, 0) {
		return Output{}, fmt.Errorf("output %q: a file name cannot hold a zero byte", text)
	}
	if _, err := parseOptions(o.Options); err != nil {
		return Output{}, fmt.Errorf("output %q: %w", text, err)
	}
	return o, nil
}

// NamesFolder reports whether results keep their names and go into the folder Path: one that
// exists, or is to be made and ends with a slash.
func (o Output) NamesFolder() bool {
	if strings.HasSuffix(o.Path, string(filepath.Separator)) {
		return true
	}
	info, err := os.Stat(o.Path)
	return err == nil && info.IsDir()
}

// String returns the text that ParseOutput has split.
func (o Output) String() string { return o.text }

// ResultName returns the name of an input's result in a folder: its own, with .png in place of
// an extension that this build does not write.
func ResultName(input string) string {
	base := filepath.Base(input)
	if f, ok := formatOf(base); ok && !f.film && writable(f) == nil {
		return base
	}
	return strings.TrimSuffix(base, filepath.Ext(base)) + ".png"
}

// PathFor returns the path of an input's result: 'out/%s_painted.jpg' and in/cat.png give
// out/cat_painted.jpg.
func (o Output) PathFor(input string) (string, error) {
	if _, err := outputFormat(o.Path); err != nil {
		return "", err
	}
	base := filepath.Base(input)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	return strings.ReplaceAll(o.Path, "%s", base), nil
}
