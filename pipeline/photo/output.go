package photo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ParseOutput splits 'out/x.jpg[Q=90,strip]', as vips writes it, into the path and
// the text between the brackets.
func ParseOutput(arg string) (path, options string, err error) {
	path = arg
	if strings.HasSuffix(arg, "]") {
		open := strings.LastIndexByte(arg, '[')
		if open < 0 {
			return "", "", fmt.Errorf("output %q: ] without [; write NAME.EXT[option=value,…]", arg)
		}
		path, options = arg[:open], arg[open+1:len(arg)-1]
	}
	if path == "" || strings.HasSuffix(path, string(filepath.Separator)) {
		return "", "", fmt.Errorf("output %q names no file; write NAME.EXT[option=value,…]", arg)
	}
	if strings.ContainsRune(path, 0) {
		return "", "", fmt.Errorf("output %q: a file name cannot hold a zero byte", arg)
	}
	if _, err := parseOptions(options); err != nil {
		return "", "", fmt.Errorf("output %q: %w", arg, err)
	}
	return path, options, nil
}

// OutputName expands each %s of a pattern to the input's base name without its
// extension: 'out/%s_painted.jpg[Q=90]' and in/cat.png give
// 'out/cat_painted.jpg[Q=90]'.
func OutputName(pattern, input string) (string, error) {
	path, _, err := ParseOutput(pattern)
	if err != nil {
		return "", err
	}
	if _, err := outputFormat(path); err != nil {
		return "", err
	}
	base := filepath.Base(input)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	return strings.ReplaceAll(path, "%s", base) + pattern[len(path):], nil
}

// CheckPattern reports what would make a batch lose pictures: a pattern without
// %s for several inputs, two inputs with one name, an input written over.
func CheckPattern(pattern string, inputs []string) error {
	from := map[string]string{}
	for _, in := range inputs {
		name, err := OutputName(pattern, in)
		if err != nil {
			return err
		}
		path, _, err := ParseOutput(name)
		if err != nil {
			return err
		}
		path = filepath.Clean(path)
		if first, taken := from[path]; taken {
			if !strings.Contains(pattern, "%s") {
				return fmt.Errorf("output %q: %d inputs need a %%s, which stands for each input's name: 'out/%%s.jpg'", pattern, len(inputs))
			}
			return fmt.Errorf("output %q: %s and %s would both become %s; run them apart, or rename one", pattern, first, in, path)
		}
		from[path] = in
		for _, other := range inputs {
			if sameFile(path, other) {
				return fmt.Errorf("output %q: %s would be written over; choose another name or folder", pattern, other)
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
