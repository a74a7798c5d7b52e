package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The manual has every option of every command, and man and mandoc have nothing to say against
// it but that a date is missing, which is the commit's.
func TestManual(t *testing.T) {
	page := said(t, "man")
	for path, n := range leaves(t) {
		for _, f := range n.Flags {
			if !strings.Contains(page, roffText(f.Help)) || !strings.Contains(page, roffText("--"+f.Name)) {
				t.Errorf("%s --%s is not in the manual", path, f.Name)
			}
		}
		if path != "paint" && !strings.Contains(page, "\n.SS nstfilter "+roffText(path)+"\n") {
			t.Errorf("the command %s is not in the manual", path)
		}
	}
	file := filepath.Join(t.TempDir(), "nstfilter.1")
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, check := range [][]string{{"man", "--warnings", "-l", file}, {"mandoc", "-T", "lint", "-W", "warning", file}} {
		if _, err := exec.LookPath(check[0]); err != nil {
			t.Logf("without %s, which would check the page", check[0])
			continue
		}
		c := exec.Command(check[0], check[1:]...)
		c.Env = append(os.Environ(), "MANPAGER=cat", "LC_ALL=C.UTF-8")
		out, _ := c.CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "nstfilter.1:") && !strings.Contains(line, "missing date") || strings.Contains(line, "warning:") {
				t.Errorf("%s: %s", check[0], line)
			}
		}
		if check[0] == "man" && !strings.Contains(string(out), "--style-loss") {
			t.Errorf("man shows\n%.300s", out)
		}
	}
}

func TestRoffText(t *testing.T) {
	if got, want := roffText(`.a-b\c 'é'`), `\&.a\-b\ec \(aq\[u00E9]\(aq`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
