package pipeline

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxDigits bounds numbers in file names, so that they fit in 64 bits.
const maxDigits = 18

// sequenceName is a path with a number in its base name: frames/shot_%05d.png.
type sequenceName struct {
	folder, before, after string // folder ends with its separator
	width                 int    // least number of digits, padded with zeros; 0 means 1
}

// parseSequenceName reads one %d or %05d in the base name; %% stands for %. As in ffmpeg's
// image2, %5d means %05d. Any other % stands for itself. ok reports whether there is a
// number.
func parseSequenceName(path string) (p sequenceName, ok bool, err error) {
	folder, base := filepath.Split(path)
	p.folder = folder
	var text []byte
	for i := 0; i < len(base); {
		end := i + 1
		for end < len(base) && isDigit(base[end]) {
			end++
		}
		switch {
		case base[i] == '%' && end < len(base) && base[end] == 'd':
			if ok {
				return p, ok, fmt.Errorf("%s has two numbers: keep one %%d, and write %%%% for a percent sign", path)
			}
			if end > i+1 {
				if p.width, err = strconv.Atoi(base[i+1 : end]); err != nil || p.width > maxDigits {
					return p, true, fmt.Errorf("%s: %s is wider than %d digits; write %%05d", path, base[i:end+1], maxDigits)
				}
			}
			ok, p.before, text, i = true, string(text), nil, end+1
		case strings.HasPrefix(base[i:], "%%"):
			text, i = append(text, '%'), i+2
		default:
			text, i = append(text, base[i]), i+1
		}
	}
	p.after = string(text)
	return p, ok, nil
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// String returns the text that parseSequenceName reads.
func (p sequenceName) String() string {
	verb := "%d"
	if p.width > 0 {
		verb = fmt.Sprintf("%%0%dd", p.width)
	}
	escape := func(s string) string { return strings.ReplaceAll(s, "%", "%%") }
	return p.folder + escape(p.before) + verb + escape(p.after)
}

// path returns the path of the picture with number n ≥ 0.
func (p sequenceName) path(n int64) string {
	return fmt.Sprintf("%s%s%0*d%s", p.folder, p.before, p.width, n, p.after)
}

// digits returns the text at the number's place in a base name. ok is false if that is not
// digits.
func (p sequenceName) digits(base string) (text string, ok bool) {
	text, ok = strings.CutPrefix(base, p.before)
	if !ok {
		return "", false
	}
	text, ok = strings.CutSuffix(text, p.after)
	return text, ok && text != "" && strings.Trim(text, "0123456789") == ""
}

// number returns the n whose path has this base name. ok is false if there is none of at
// most 18 digits.
func (p sequenceName) number(base string) (n int64, ok bool) {
	s, ok := p.digits(base)
	if !ok || len(s) > maxDigits || len(s) < p.width || len(s) > max(p.width, 1) && s[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// find returns the numbers that have a file, in order. It fails if there are none or if one
// is missing between others.
func (p sequenceName) find() ([]int64, error) {
	folder := filepath.Clean(p.folder) // "" becomes .
	entries, err := os.ReadDir(folder)
	if os.IsNotExist(err) {
		return nil, fmt.Errorf("%v: there is no folder %s: check the name", p, folder)
	} else if err != nil {
		return nil, fmt.Errorf("%v: %w", p, err)
	}
	all := p.numbers(entries)
	var other string // one that differs only in the width of its number
	for _, e := range entries {
		if _, ok := p.digits(e.Name()); ok && other == "" {
			other = e.Name()
		}
	}
	if all == nil && other != "" {
		q := p
		if s, _ := p.digits(other); s[0] == '0' && len(s) > 1 {
			q.width = len(s)
		} else {
			q.width = 0
		}
		return nil, fmt.Errorf("%v: no such file, with any number; there is %s%s: write '%v'", p, p.folder, other, q)
	} else if all == nil {
		return nil, fmt.Errorf("%v: no such file, with any number: check the name", p)
	}
	for i, n := range all[1:] {
		if want := all[i] + 1; n != want {
			return nil, fmt.Errorf("%s is missing, between %s and %s: add it, or name the pictures that are there by a glob in quotes, '%s'",
				p.path(want), filepath.Base(p.path(all[i])), filepath.Base(p.path(n)), p.folder+"*"+filepath.Ext(p.after))
		}
	}
	return all, nil
}

// numbers returns the numbers in names that the pattern has, in order.
func (p sequenceName) numbers(entries []os.DirEntry) (all []int64) {
	for _, e := range entries {
		if n, ok := p.number(e.Name()); ok {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// list returns the numbers that have a file, in order, if there are any.
func (p sequenceName) list() ([]int64, error) {
	entries, err := os.ReadDir(filepath.Clean(p.folder))
	return p.numbers(entries), err
}

// naturalOrder compares numbers in text as numbers, so that frame2 is before frame10, and
// the rest by bytes.
func naturalOrder(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		if !isDigit(x[0]) || !isDigit(y[0]) {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		var m, n string
		m, x = leadingNumber(x)
		n, y = leadingNumber(y)
		if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n)); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

// leadingNumber splits s after the digits that it begins with. number has no leading zeros.
func leadingNumber(s string) (number, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return strings.TrimLeft(s[:len(s)-len(rest)], "0"), rest
}
