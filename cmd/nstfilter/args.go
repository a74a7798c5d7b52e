package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"nstfilter/filter/limits"
	"nstfilter/pipeline"
)

// parseArgs returns the command that args name.
func parseArgs(args []string, e *commandEnv) (func() error, error) {
	var g commandLine
	parser, err := newParser(&g)
	if err != nil {
		return nil, err
	}
	args, err = filesLast(helpBehind(args, parser.Model.Node), parser.Model.Node)
	if err != nil {
		return nil, pipeline.UsageError{Err: err}
	}
	k, err := parser.Parse(args)
	if err != nil {
		return nil, pipeline.UsageError{Err: nearestOption(err)}
	}
	return func() error { return k.Run(e) }, nil
}

// helpBehind returns "help", "help COMMAND" and "--help COMMAND" as kong reads them.
func helpBehind(args []string, app *kong.Node) []string {
	if len(args) == 0 || len(args) > 2 {
		return args
	}
	flag := args[0]
	if flag == "help" {
		flag = "-h"
	}
	switch {
	case !slices.Contains([]string{"-h", "--help", "--help-all"}, flag), len(args) == 2 && commandNamed(args[1], app) == nil:
		return args
	case len(args) == 2:
		return []string{args[1], flag}
	}
	return []string{flag}
}

// checkCommand reports a first word that is no file, but nearly a command.
func checkCommand(word string, app *kong.Node) error {
	if _, err := os.Lstat(word); err == nil || strings.ContainsAny(word, "-./") {
		return nil
	}
	var names []string
	for _, c := range app.Children {
		names = append(names, c.Name)
	}
	if hint := limits.Hint(word, names); hint != "" {
		return fmt.Errorf("%s: no such file and no such command%s", word, hint)
	}
	return nil
}

// commandNamed returns the command of this name, or nil.
func commandNamed(name string, app *kong.Node) *kong.Node {
	i := slices.IndexFunc(app.Children, func(c *kong.Node) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return app.Children[i]
}

// filesLast moves file names behind the flags, because kong accepts them only in one place,
// and names the command that is meant if none is named. It leaves args alone if they begin
// with another command than sheet or try. It fails for a flag that lacks its value.
func filesLast(args []string, app *kong.Node) ([]string, error) {
	command := app.DefaultCmd
	if len(args) > 0 {
		if c := commandNamed(args[0], app); c != nil {
			if command = c; c.Name != "sheet" && c.Name != "try" && c != app.DefaultCmd {
				return args, nil
			}
			args = args[1:]
		} else if err := checkCommand(args[0], app); err != nil {
			return nil, err
		}
	}
	words := splitArgs(args, slices.Concat(command.Flags, app.Flags))
	outputs := 0
	for _, name := range words.names {
		if len(name) > 2 && hasFlag(command.Flags, name[1:]) {
			return nil, fmt.Errorf("%s: write it with two dashes: -%s", name, name)
		}
		if name == "--output" || name == "-o" {
			outputs++
		}
	}
	switch {
	case words.lacks:
		return nil, fmt.Errorf("%s needs a value behind it", words.flags[len(words.flags)-1])
	case outputs > 1:
		return nil, errors.New("--output is given twice: give it once, and the inputs without it")
	}
	for _, file := range words.behind {
		if name, _, _ := strings.Cut(file, "="); strings.HasPrefix(name, "--") && hasFlag(command.Flags, name[2:]) {
			return nil, fmt.Errorf("%s: what follows -- are files: put options before it, or write ./%s if it is a file", file, file)
		}
	}
	flags := append([]string{command.Name}, words.flags...)
	if len(words.files)+len(words.behind) > 0 {
		flags = append(flags, "--")
	}
	return slices.Concat(flags, words.files, words.behind), nil
}

func hasFlag(flags []*kong.Flag, name string) bool {
	return slices.ContainsFunc(flags, func(f *kong.Flag) bool { return f.Name == name })
}

// splitWords are the words of a command line.
type splitWords struct {
	flags  []string // with their values
	names  []string // of the flags, as they are given
	files  []string // before --
	behind []string // behind --
	lacks  bool     // the last flag lacks its value
}

func splitArgs(args []string, flags []*kong.Flag) (s splitWords) {
	takesValue := map[string]bool{}
	for _, f := range flags {
		takesValue["--"+f.Name] = !f.IsBool()
		if f.Short != 0 {
			takesValue["-"+string(f.Short)] = !f.IsBool()
		}
	}
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--":
			s.behind = args[i+1:]
			return s
		case len(a) < 2 || a[0] != '-' || a[1] == '.': // -.webp is a photo on stdout
			s.files = append(s.files, a)
		default:
			name, _, _ := strings.Cut(a, "=")
			s.names = append(s.names, name)
			s.flags = append(s.flags, a)
			if takesValue[a] && i+1 < len(args) && args[i+1] != "--" {
				i++
				s.flags = append(s.flags, args[i])
			} else if takesValue[a] {
				s.lacks = true
			}
		}
	}
	return s
}

// nearestOption says which option an unknown one may have meant. kong has a way of its own
// to find the nearest, and lists all within two letters.
func nearestOption(err error) error {
	var parse *kong.ParseError
	text, unknown := strings.CutPrefix(err.Error(), "unknown flag ")
	if !unknown || !errors.As(err, &parse) {
		return err
	}
	name, _, _ := strings.Cut(text, ",")
	var names []string
	for _, f := range parse.Context.Flags() {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	}
	return errors.New(name + " is no option" + limits.Hint(name, names))
}
