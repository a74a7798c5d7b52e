package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// completionCases are words behind nstfilter, with the last one begun, and what must be among
// its completions.
var completionCases = []struct {
	words string
	want  string
}{
	{"--sty", "--style-loss"},
	{"--preset dr", "draft"},
	{"--style-loss gram+me", "gram+means"},
	{"--device gor", "gorgonia"},
	{"in.jpg out.jpg --progress pl", "plain"},
	{"she", "sheet"},
	{"sheet --preset fi", "fine"},
	{"weights im", "import"},
	{"completion fi", "fish"},
	{"--style pain", "paintings/"},
	{"--style=night.jpg pho", "photo.jpg"},
	{"--style paintings/ni", "paintings/night view.jpg"},
}

func folderToComplete(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	err := os.Mkdir(filepath.Join(folder, "paintings"), 0o755)
	for _, name := range []string{"photo.jpg", "paintings/night view.jpg"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), nil, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// completed runs a shell with a script that prints completions, with the words in arguments.
func completed(t *testing.T, folder, shell string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a shell that waits for more would wait for ever
	defer cancel()
	c := exec.CommandContext(ctx, shell, args...)
	c.Dir = folder
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil || stderr.Len() > 0 {
		t.Errorf("%s %q: %v\n%s", shell, args, err, stderr.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func needs(t *testing.T, shell string) string {
	t.Helper()
	if _, err := exec.LookPath(shell); err != nil {
		t.Skip("there is no " + shell)
	}
	script := filepath.Join(t.TempDir(), "completion")
	if err := os.WriteFile(script, []byte(said(t, "completion", shell)), 0o644); err != nil {
		t.Fatal(err)
	}
	return script
}

func TestCompletionBash(t *testing.T) {
	script, folder := needs(t, "bash"), folderToComplete(t)
	const run = `source "$1"; shift; COMP_WORDS=(nstfilter "$@"); COMP_CWORD=$#; _nstfilter; printf '%s\n' "${COMPREPLY[@]}"`
	for _, c := range completionCases {
		got := completed(t, folder, "bash", append([]string{"--norc", "-c", run, "bash", script}, strings.Split(c.words, " ")...)...)
		if !slices.Contains(got, strings.TrimSuffix(c.want, "/")) {
			t.Errorf("%s: %q, not %q", c.words, got, c.want)
		}
	}
	// bash makes three words of this.
	if got := completed(t, folder, "bash", "--norc", "-c", run, "bash", script, "--preset", "=", "dr"); !slices.Equal(got, []string{"draft"}) {
		t.Errorf("--preset=dr: %q", got)
	}
}

func TestCompletionFish(t *testing.T) {
	script, folder := needs(t, "fish"), folderToComplete(t)
	for _, c := range append(slices.Clone(completionCases), struct{ words, want string }{"--preset=dr", "--preset=draft"}, struct{ words, want string }{"--style=pho", "--style=photo.jpg"}) {
		got := completed(t, folder, "fish", "--no-config", "-c", `source $argv[1]; complete -C "nstfilter $argv[2]"`, script, c.words)
		if !slices.ContainsFunc(got, func(s string) bool { value, _, _ := strings.Cut(s, "\t"); return value == c.want }) {
			t.Errorf("%s: %q, not %q", c.words, got, c.want)
		}
	}
}

// zsh completes on a terminal alone: one is made, Tab is pressed, and the command run.
func TestCompletionZsh(t *testing.T) {
	script, folder := needs(t, "zsh"), folderToComplete(t)
	const run = `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "unsetopt prompt_cr prompt_sp; PS1= PS2=; autoload -Uz compinit && compinit -u -D; source $1; stty -echo; nstfilter() { if [[ \$1 == complete ]]; then command nstfilter \"\$@\"; else print -r -- \"<GOT>\$*<END>\"; fi; }; print READY-\$((1+1))"
until [[ $said == *READY-2* ]]; do zpty -r shell line || exit 1; said+=$line; done
zpty -w -n shell "nstfilter $2"$'\t'$'\n'
said=
until [[ $said == *'<END>'* ]]; do zpty -r shell line || exit 1; said+=$line; done
print -r -- "${${said##*<GOT>}%%<END>*}"
zpty -d shell`
	for _, c := range []struct{ words, want string }{
		{"--style-lo", "--style-loss"}, {"--preset dr", "--preset draft"}, {"--preset=dr", "--preset=draft"}, {"shee", "sheet"},
		{"--style=pho", "--style=photo.jpg"}, {"--style paintings/ni", "--style paintings/night view.jpg"},
	} {
		got := completed(t, folder, "zsh", "-f", "-c", run, "zsh", script, c.words)
		if strings.TrimSpace(got[len(got)-1]) != c.want {
			t.Errorf("%s: %q, want %q", c.words, got, c.want)
		}
	}
}
