package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"nstfilter/pipeline"
)

const programDescription = "Repaints photos and film in the style of any painting."

// helpFlags are the flags of every command that print help: a screen, a line for each option,
// or all that is declared.
type helpFlags struct {
	Screen screenHelp `name:"help-screen" short:"h" hidden:"" help:"Print what most people need, on one screen."`
	Lines  lineHelp   `name:"help" hidden:"" help:"Print all options, a line each."`
	All    fullHelp   `name:"help-all" hidden:"" help:"Print all options, with all that is to say about them."`
}

type (
	screenHelp bool
	lineHelp   bool
	fullHelp   bool
)

func (screenHelp) BeforeReset(k *kong.Context) error { return printHelp(k, screen) }
func (lineHelp) BeforeReset(k *kong.Context) error   { return printHelp(k, optionLines) }
func (fullHelp) BeforeReset(k *kong.Context) error   { return printHelp(k, fullText) }

// helpLevel is how much is printed.
type helpLevel int

const (
	screen helpLevel = iota
	optionLines
	fullText
)

// doors are the ways to call the program that most people need.
const doors = `A photo, all photos of a folder, a film with its sound, a pipe:

    nstfilter --style night.jpg in.jpg out.jpg
    nstfilter --style night.jpg photos/ painted/
    nstfilter --style night.jpg in.mkv out.mkv
    ffmpeg -i in.mkv -f yuv4mpegpipe - | nstfilter --style night.jpg | ffplay -`

// Help returns what --help-all says below the usage.
func (*paintCmd) Help() string { return "The ways to call it:\n\n" + pipeline.UsageExamples }

// printHelp prints the help of the command that is chosen, and ends the program. kong lays it
// out.
func printHelp(k *kong.Context, level helpLevel) error {
	node := k.Selected()
	if node != nil && node.Parent.Parent != nil && node == node.Parent.DefaultCmd {
		node = node.Parent // of nstfilter jobs, which lists
	}
	paint := node != nil && node == k.Model.DefaultCmd
	options := kong.HelpOptions{FlagsLast: true, WrapUpperBound: 100, NoAppSummary: paint, ValueFormatter: lineOf}
	switch {
	case level == screen:
		options.WrapUpperBound = 80
		if paint {
			node.Help, node.Detail, node.Positional = programDescription, doors, nil
		}
		if node != nil {
			node.Detail = throughExample(node.Detail)
		}
		if node != nil && slices.ContainsFunc(node.Flags, isUsual) {
			usual := &kong.Group{Key: "usual", Title: "What people turn most:"}
			for _, f := range node.Flags {
				f.Hidden, f.Group = !isUsual(f), usual
			}
		}
	case level == optionLines && paint:
		node.Detail = ""
	case level == fullText:
		options.ValueFormatter = kong.DefaultHelpValueFormatter
	}
	if paint {
		fmt.Fprintln(k.Stdout, "Usage: nstfilter --style PAINTING [options] IN OUT")
	}
	if err := kong.DefaultHelpPrinter(options, k); err != nil {
		return err
	}
	fmt.Fprint(k.Stdout, "\n", more(k, level, paint))
	k.Kong.Exit(0)
	return nil
}

// isUsual reports whether an option is one of the few that -h names: the declaration says in
// its tag brief what people turn it for.
func isUsual(f *kong.Flag) bool { return f.Tag.Has("brief") }

// more says where the rest of the help is.
func more(k *kong.Context, level helpLevel, paint bool) string {
	var lines string
	switch level {
	case screen:
		lines = "--help: all options; --help-all: all about them; nstfilter man: the manual.\n"
	case optionLines:
		lines = "--help-all: all about them; nstfilter man: the manual.\n"
	}
	if paint {
		var names []string
		for _, c := range k.Model.Children {
			if c != k.Model.DefaultCmd && !c.Hidden {
				names = append(names, c.Name)
			}
		}
		lines += "Other commands, each with -h:\n  " + strings.Join(names, " ") + "\n"
	}
	return lines
}

// throughExample returns a text up to the end of its first block of indented lines, or all of
// it if it has none.
func throughExample(text string) string {
	var kept []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if kept = append(kept, paragraph); strings.HasPrefix(paragraph, "    ") {
			break
		}
	}
	return strings.Join(kept, "\n\n")
}

// lineOf is the help of an option, or an argument, in a line: the tag brief, or the first clause of the help,
// with the values that the option allows.
func lineOf(v *kong.Value) string {
	if v.Tag.Has("brief") {
		return v.Tag.Get("brief")
	}
	if len(v.Help) < 60 {
		return v.Help
	}
	line, rest := firstClause(v.Help)
	if allowed := v.Tag.Get("oneof"); allowed != "" && strings.HasPrefix(rest, ": ") {
		line += ": " + strings.ReplaceAll(allowed, ",", ", ")
	}
	return strings.TrimSuffix(line, ".") + "."
}

// firstClause cuts a text before the first full stop, colon or semicolon that is in no
// brackets.
func firstClause(text string) (clause, rest string) {
	depth := 0
	for i, r := range text {
		switch {
		case r == '(':
			depth++
		case r == ')' || r == ']': // (0,1] is an interval
			depth = max(0, depth-1)
		case depth == 0 && strings.ContainsRune(".:;", r) && (i+1 == len(text) || text[i+1] == ' '):
			return text[:i], text[i:]
		}
	}
	return text, ""
}
