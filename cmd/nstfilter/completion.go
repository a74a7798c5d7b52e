package main

import (
	"embed"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"nstfilter/pipeline/engines"
)

//go:embed completion
var completionScripts embed.FS

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help returns what --help says below the usage.
func (*completionCmd) Help() string {
	return `Add to the file that your shell reads first:

    source <(nstfilter completion bash)
    source <(nstfilter completion zsh)
    nstfilter completion fish | source`
}

func (c *completionCmd) Run(*commandEnv) error {
	script, err := completionScripts.ReadFile("completion/nstfilter." + c.Shell)
	if err == nil {
		_, err = os.Stdout.Write(script)
	}
	return err
}

// completeCmd is what the scripts call.
type completeCmd struct {
	Words []string `arg:"" optional:"" help:"The words behind nstfilter, up to the one that is being written."`
}

func (c *completeCmd) Run(*commandEnv) error {
	parser, err := newParser(&commandLine{})
	if err != nil {
		return err
	}
	for _, line := range completions(c.Words, parser.Model.Node) {
		fmt.Println(line)
	}
	return nil
}

// completeFiles is the line that asks the shell to complete file names.
const completeFiles = ":files"

// completions returns what the last word may become: lines VALUE or VALUE<Tab>DESCRIPTION, and
// completeFiles. bash makes three words of --option=value, and gets the value alone.
func completions(words []string, app *kong.Node) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	before, word := words[:len(words)-1], words[len(words)-1]
	switch n := len(before); {
	case word == "=" && n > 0:
		word = ""
	case n > 1 && before[n-1] == "=":
		before = before[:n-1]
	}
	node, words := nodeOf(before, app)
	flags := slices.Concat(node.Flags, app.Flags)
	split := splitArgs(words, flags)
	option, value, assigned := strings.Cut(word, "=")
	switch {
	case slices.Contains(words, "--"):
		return []string{completeFiles}
	case split.lacks:
		return startingWith(word, "", valuesOf(flagOf(words[len(words)-1], flags), word))
	case assigned && flagOf(option, flags) != nil:
		return startingWith(value, option+"=", valuesOf(flagOf(option, flags), value))
	case strings.HasPrefix(word, "-"):
		var names []string
		for _, f := range flags {
			names = append(names, "--"+f.Name+"\t"+lineOf(f.Value))
		}
		return startingWith(word, "", names)
	}
	var names []string
	if len(words) == 0 { // a command can be named
		for _, c := range append(slices.Clone(node.Children), app.Children...) {
			if !c.Hidden && c != app.DefaultCmd && (c.Parent == node || node == app.DefaultCmd) {
				names = append(names, c.Name+"\t"+c.Help)
			}
		}
	}
	return startingWith(word, "", append(names, argumentsOf(node)...))
}

// nodeOf returns the command that words begin with, and the words behind it.
func nodeOf(words []string, app *kong.Node) (*kong.Node, []string) {
	node := app
	for len(words) > 0 {
		next := commandNamed(words[0], node)
		if next == nil {
			break
		}
		node, words = next, words[1:]
	}
	if node == app {
		node = app.DefaultCmd
	}
	return node, words
}

// argumentsOf returns what an argument of a command may be.
func argumentsOf(node *kong.Node) []string {
	if len(node.Positional) == 0 {
		return nil
	}
	if enum := node.Positional[0].Tag.Enum; enum != "" {
		return strings.Split(enum, ",")
	}
	return []string{completeFiles}
}

func flagOf(word string, flags []*kong.Flag) *kong.Flag {
	i := slices.IndexFunc(flags, func(f *kong.Flag) bool {
		return word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short)
	})
	if i < 0 {
		return nil
	}
	return flags[i]
}

// valuesOf returns what an option's value may be, as far as is known.
func valuesOf(f *kong.Flag, begun string) (values []string) {
	if allowed := f.Tag.Get("oneof"); allowed != "" {
		return strings.Split(strings.ReplaceAll(allowed, "image:FILE", "image:"), ",")
	}
	switch f.Name {
	case "preset":
		_, own := ownPresets()
		return slices.Concat(slices.Sorted(maps.Keys(builtinPresets)), own, []string{completeFiles})
	case "device":
		values = append([]string{"auto"}, engines.Builtin.Names()...)
		if gpus, err := engines.GPUs(); strings.HasPrefix(begun, "cuda") && err == nil {
			for i, gpu := range gpus {
				values = append(values, fmt.Sprintf("cuda:%d\t%s", i, gpu))
			}
		}
	case "isa":
		values = []string{"auto"}
		for _, d := range engines.Builtin {
			values = append(values, d.ISAs...)
		}
	}
	if strings.Contains(f.PlaceHolder, "FILE") || strings.Contains(f.PlaceHolder, "DIR") {
		values = append(values, completeFiles)
	}
	return values
}

// startingWith returns those of the values that begin with text, with a prefix.
func startingWith(text, prefix string, values []string) (all []string) {
	for _, v := range values {
		if v == completeFiles {
			all = append(all, v)
		} else if strings.HasPrefix(v, text) {
			all = append(all, prefix+v)
		}
	}
	return all
}
