package main

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// said is what the program prints to stdout.
func said(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("nstfilter", args...).Output()
	if err != nil {
		t.Fatalf("nstfilter %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// leaves are the commands, each with the words that call it.
func leaves(t *testing.T) map[string]*kong.Node {
	t.Helper()
	parser, err := newParser(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*kong.Node{}
	for _, n := range parser.Model.Leaves(true) {
		found[n.Path()] = n
	}
	return found
}

// -h fits a terminal of 80×24 with the prompt behind it.
func TestHelpFitsOneScreen(t *testing.T) {
	for path := range leaves(t) {
		text := said(t, append(strings.Fields(path), "-h")...)
		if n := strings.Count(text, "\n"); n > 23 || n < 4 {
			t.Errorf("%s -h has %d lines:\n%s", path, n, text)
		}
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > 81 {
				t.Errorf("%s -h is wider than 80: %s", path, line)
			}
		}
	}
	for _, args := range [][]string{{"help"}, {"-h"}, {"paint", "-h"}, {"-h", "--style", "a.jpg"}} {
		if text := said(t, args...); !strings.Contains(text, "ffplay") || !strings.Contains(text, "--style-scale=1") || !strings.Contains(text, "Other commands") {
			t.Errorf("%v prints\n%s", args, text)
		}
	}
	for _, args := range [][]string{{"help", "sheet"}, {"-h", "sheet"}, {"sheet", "-h"}} {
		if text := said(t, args...); !strings.HasPrefix(text, "Usage: nstfilter sheet") {
			t.Errorf("%v prints\n%s", args, text)
		}
	}
}

// --help has a line or two for each option, --help-all every word that is declared.
func TestHelpHasAllOptions(t *testing.T) {
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for path, n := range leaves(t) {
		args := strings.Fields(path)
		lines, full := said(t, append(args, "--help")...), words(said(t, append(args, "--help-all")...))
		for _, f := range n.Flags {
			if !strings.Contains(lines, "--"+f.Name) || !strings.Contains(full, "--"+f.Name) || !strings.Contains(full, words(strings.TrimSuffix(f.Help, "."))) {
				t.Errorf("%s: --help or --help-all lacks --%s", path, f.Name)
			}
		}
		if most := 40 + 3*len(n.Flags)/2; strings.Count(lines, "\n") > most {
			t.Errorf("%s --help has %d lines, more than %d", path, strings.Count(lines, "\n"), most)
		}
	}
}

func TestFirstClause(t *testing.T) {
	for text, want := range map[string]string{
		"One thing: a, or b.": "One thing", "One (a; b) thing; another.": "One (a; b) thing", "Write 1:30. More.": "Write 1:30", "No end": "No end",
	} {
		if got, _ := firstClause(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
