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
	if o.Path == "" || strings.HasSuffix(o.Path, string(filepath.Separator)) {
		return Output{}, fmt.Errorf("output %q names no file; write NAME.EXT[option=value,…]", text)
	}
	if strings.ContainsRune(o.Path, 0) {
		return Output{}, fmt.Errorf("output %q: a file name cannot hold a zero byte", text)
	}
	if _, err := parseOptions(o.Options); err != nil {
		return Output{}, fmt.Errorf("output %q: %w", text, err)
	}
	return o, nil
}

// String returns the text that ParseOutput has split.
func (o Output) String() string { return o.text }

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

// CheckInputs reports what would make a batch lose pictures: several inputs without %s,
// two inputs with one result, and an input that would be written over.
func (o Output) CheckInputs(inputs []string) error {
	from := map[string]string{}
	for _, in := range inputs {
		path, err := o.PathFor(in)
		if err != nil {
			return err
		}
		path = filepath.Clean(path)
		if first, taken := from[path]; taken {
			if !strings.Contains(o.Path, "%s") {
				return fmt.Errorf("output %q: %d inputs need a %%s, which stands for each input's name: 'out/%%s.jpg'", o, len(inputs))
			}
			return fmt.Errorf("output %q: %s and %s would both become %s; run them apart, or rename one", o, first, in, path)
		}
		from[path] = in
		for _, other := range inputs {
			if sameFile(path, other) {
				return fmt.Errorf("output %q: %s would be written over; choose another name or folder", o, other)
			}
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	if a == filepath.Clean(b) {
		return true
	}
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
