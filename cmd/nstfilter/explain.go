package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"nstfilter/pipeline/photo"
	"nstfilter/pipeline/recipe"
	"nstfilter/weights"
)

type explainCmd struct {
	Files []string `arg:"" name:"file" help:"Photos, films or sheets that nstfilter has made."`
}

// Help returns what --help says below the usage.
func (*explainCmd) Help() string {
	return `What it prints is for a shell: the command, for a copy beside the result, with names and without folders; then, as comments, what was changed by hand in a preview, the program's version, the hashes, and whether the styles are in the current folder. Of a sheet it prints a command for each picture on it.

    nstfilter explain painted.jpg`
}

func (c *explainCmd) Run(*commandEnv) (err error) {
	for _, file := range c.Files {
		err = errors.Join(err, explain(os.Stdout, file))
	}
	return err
}

// explain writes the command that made a file.
func explain(w io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return photo.ExplainFileError(path, err)
	}
	defer file.Close()
	made, err := recipe.Find(file)
	if errors.Is(err, recipe.ErrNone) {
		return fmt.Errorf("%s: %w: it was painted by an older version, with --no-record or [strip], or changed since, or its format keeps none (GIF, APNG, AVI, MPEG, BMP, JPEG XL, JPEG 2000)", path, err)
	} else if err != nil {
		return photo.ExplainFileError(path, fmt.Errorf("%s: %w", path, err))
	}
	flags, err := checkedFlags(made.Options)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, line := range commandLines(made, flags, filepath.Base(path)) {
		fmt.Fprintln(w, line)
	}
	for _, line := range slices.Concat(byHandLines(made), []string{"made by " + made.Program, "computed by " + made.Engine, "seed " + seedOf(flags)},
		networkLines(made), styleLines(made.Styles)) {
		fmt.Fprintln(w, "#", printable(line))
	}
	return nil
}

// recordedFlags returns the settings that decide the pixels and differ from the defaults, as
// --name=value, but for the styles. Files have no folders.
func recordedFlags(s allSettings) (flags []string) {
	defaults := declaredOptions(defaultSettings())
	for i, o := range declaredOptions(s) {
		switch {
		case !recorded(o) || o.value == defaults[i].value:
		case o.name == "style-mask": // of which there may be several
			for _, file := range s.Job.StyleMask {
				flags = append(flags, o.flag(file))
			}
		default:
			flags = append(flags, o.flag(o.value))
		}
	}
	return flags
}

// recordedFiles are the options of a job that name what the pixels depend on.
var recordedFiles = []string{"weights", "strength", "mask", "style-mask"}

// recorded reports whether an option is among the flags of a recipe.
func recorded(o declaredOption) bool {
	return o.name != "style" && (o.group != "job" || o.preset || slices.Contains(recordedFiles, o.name))
}

// flag writes an option as it is given.
func (o *declaredOption) flag(value string) string {
	if value == "true" && o.isBool() {
		return "--" + o.name
	}
	if image, ok := strings.CutPrefix(value, "image:"); ok && o.name == "init" {
		value = "image:" + recipe.BaseName(image)
	} else if o.file && value != "" {
		value = recipe.BaseName(value)
	}
	return "--" + o.name + "=" + value
}

// checkedFlags returns flags that a file has said, which may come from a stranger, if all are
// such as recordedFlags returns.
func checkedFlags(flags []string) (checked []string, err error) {
	options := declaredOptions(defaultSettings())
	for _, flag := range flags {
		name, value, given := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		i := slices.IndexFunc(options, func(o declaredOption) bool { return recorded(o) && o.name == name })
		if i < 0 || !strings.HasPrefix(flag, "--") || given == options[i].isBool() {
			return nil, fmt.Errorf("its record of what made it has the option %.80q, which no record here has: a newer version made it, or somebody changed it", flag)
		}
		if !given {
			value = "true"
		}
		checked = append(checked, options[i].flag(value))
	}
	return checked, nil
}

// commandLines returns the command that makes a file again, or of a sheet those for all
// pictures on it.
func commandLines(made *recipe.Recipe, flags []string, file string) (lines []string) {
	line := func(styles []recipe.Style, in, out string) {
		words := []string{"nstfilter"}
		for _, s := range styles {
			words = append(words, shellWord("--style="+s.Name))
		}
		for _, f := range flags {
			words = append(words, shellWord(f))
		}
		options := ""
		if made.OutputOptions != "" {
			options = "[" + made.OutputOptions + "]"
		}
		piped := in == "-"
		if piped {
			in = "input" + filepath.Ext(out)
		}
		words = append(words, shellFile(in), shellFile(out+options))
		if lines = append(lines, strings.Join(words, " ")); piped {
			lines = append(lines, "# "+printable(in)+" stands for what came through a pipe, without a name")
		}
	}
	stem := func(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }
	if made.Sheet {
		for _, in := range made.Inputs {
			ext := filepath.Ext(in)
			if !photo.IsPhoto(in) {
				ext = ".png"
			}
			for _, s := range made.Styles {
				line([]recipe.Style{s}, in, stem(in)+"-"+stem(s.Name)+ext)
			}
		}
		return lines
	}
	out := file
	if made.Pattern != "" {
		out = made.Pattern
	}
	line(made.Styles, made.Inputs[0], stem(out)+".again"+filepath.Ext(out))
	return lines
}

func seedOf(flags []string) string {
	for _, f := range flags {
		if seed, ok := strings.CutPrefix(f, "--seed="); ok {
			return seed
		}
	}
	return strconv.FormatUint(defaultSettings().Filter.Seed, 10)
}

// byHandLines says what was done in the preview, which no command does.
func byHandLines(made *recipe.Recipe) (lines []string) {
	for _, change := range made.ByHand {
		lines = append(lines, "by hand, which the command does not do: "+change)
	}
	return lines
}

// networkLines names the networks that a recipe has the hashes of.
func networkLines(made *recipe.Recipe) (lines []string) {
	for _, sum := range made.Networks {
		name := "none of this program's"
		for _, n := range weights.List() {
			if n.SHA256 == sum {
				name = n.Name + ", which is in this program"
			}
		}
		lines = append(lines, fmt.Sprintf("network %s: %s", sum, name))
	}
	return lines
}

// styleLines says which of the styles are in the current folder.
func styleLines(styles []recipe.Style) (lines []string) {
	entries, _ := os.ReadDir(".") // one that cannot be read has none of them
	for _, s := range styles {
		where := "not in this folder"
		for _, e := range entries {
			if info, err := os.Stat(e.Name()); err != nil || !info.Mode().IsRegular() || info.Size() != s.Bytes || !hasHash(e, s.SHA256) {
				continue
			}
			where = "here, as " + e.Name()
			if e.Name() == s.Name {
				where = "here"
				break
			}
		}
		if _, err := os.Stat(s.Name); err == nil && where != "here" {
			where += "; the " + s.Name + " here is another"
		}
		lines = append(lines, fmt.Sprintf("style %s %s: %s", s.SHA256, s.Name, where))
	}
	return lines
}

func hasHash(e fs.DirEntry, sum string) bool {
	file, err := os.Open(e.Name())
	if err != nil {
		return false
	}
	defer file.Close()
	h := sha256.New()
	_, err = io.Copy(h, file)
	return err == nil && hex.EncodeToString(h.Sum(nil)) == sum
}

// shellFile quotes a file's name, and keeps one like -x from being an option.
func shellFile(name string) string {
	if strings.HasPrefix(name, "-") {
		name = "./" + name
	}
	return shellWord(name)
}

// shellWord quotes a word for a POSIX shell if it needs that. What moves a terminal's cursor
// is written with $'…', which bash, zsh and POSIX of 2024 know.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_@%+=:,./-", r)
	}
	switch {
	case s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0:
		return s
	case printable(s) == s:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		}
	}
	b.WriteString("'")
	return b.String()
}

// printable returns s without what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
