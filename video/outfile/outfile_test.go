package outfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// holds checks that the folder has these files and no others, as NAME=CONTENTS.
func holds(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		b, _ := os.ReadFile(filepath.Join(folder, e.Name()))
		got = append(got, e.Name()+"="+string(b))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %q, want %q", folder, got, want)
	}
}

func TestWrite(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Write("a.txt", Keep, text("one")); err != nil {
		t.Fatal(err)
	}
	if err := Write("a.txt", Keep, text("two")); err == nil || !strings.Contains(err.Error(), "a.txt exists: add -y") {
		t.Errorf("over an existing file: %v", err)
	}
	broken := errors.New("broken")
	if err := Write("a.txt", Replace, func(io.Writer) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
	holds(t, ".", "a.txt=one")
	if err := Write("a.txt", Replace, text("two")); err != nil {
		t.Fatal(err)
	}
	holds(t, ".", "a.txt=two")
}

// Of two that write one name without Replace, the second is refused.
func TestKeepNeverReplaces(t *testing.T) {
	t.Chdir(t.TempDir())
	a, err := Reserve("a.txt", Keep)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write("a.txt", Keep, text("first")); err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("the second: %v", err)
	}
	holds(t, ".", "a.txt=first")
}

func TestPermissionsAreKept(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, want := range []fs.FileMode{0o600, 0o444, 0o664} {
		os.Remove("a.txt")
		os.WriteFile("a.txt", nil, 0o600)
		os.Chmod("a.txt", want)
		if err := Write("a.txt", Replace, text("new")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat("a.txt"); err != nil || info.Mode().Perm() != want {
			t.Errorf("permissions %v, want %v (%v)", info.Mode(), want, err)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	os.Mkdir("there", 0o755)
	os.WriteFile("there/b", []byte("old"), 0o644)
	if err := os.Symlink("there/b", "a.txt"); err != nil {
		t.Skip(err)
	}
	p, err := Reserve("a.txt", Replace)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(p.Partial) != "there" || filepath.Ext(p.Partial) != ".txt" {
		t.Errorf("partial file %s, want one in there/ with the extension that was asked for", p.Partial)
	}
	os.WriteFile(p.Partial, []byte("new"), 0)
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Lstat("a.txt"); info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	holds(t, "there", "b=new")
	os.Remove("there/b")
	if err := Write("a.txt", Replace, text("")); err == nil || !strings.Contains(err.Error(), "leads nowhere") {
		t.Errorf("a link to nothing: %v", err)
	}
	os.Mkdir("folder.txt", 0o755)
	if err := Write("folder.txt", Replace, text("")); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
}

func TestBeforeCommit(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, want := range []error{nil, errors.New("no")} {
		p, err := Reserve("a.txt", Replace)
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(p.Partial, []byte("new"), 0o600)
		p.BeforeCommit = func(info fs.FileInfo) error {
			if _, err := os.Lstat("a.txt"); err == nil || info.Size() != 3 {
				t.Errorf("%d bytes, the name is there: %v", info.Size(), err == nil)
			}
			return want
		}
		if got := p.Commit(); got != want {
			t.Errorf("%v", got)
		}
		if _, err := os.Lstat("a.txt"); (err == nil) != (want == nil) {
			t.Errorf("after %v: %v", want, err)
		}
		if left, _ := filepath.Glob(".*partial*"); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
		os.Remove("a.txt")
	}
}

func TestRemovePartials(t *testing.T) {
	t.Chdir(t.TempDir())
	long := strings.Repeat("n", 251) + ".png"
	for _, name := range []string{"a.png", "b.png", long} {
		if _, err := Reserve(name, Keep); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a.png", ".partial.png", ".a.partial.png", ".a.mine.png"} {
		os.WriteFile(name, nil, 0o600)
	}
	if err := RemovePartials("a.png", long); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(".[abn]*.*")
	if len(left) != 3 || !strings.HasPrefix(left[0], ".a.mine") || !strings.HasPrefix(left[1], ".a.partial") || !strings.HasPrefix(left[2], ".b.") {
		t.Errorf("%q are left", left)
	}
	if _, err := os.Lstat("a.png"); err != nil {
		t.Error(err)
	}
}

// Names as long as the file system takes have partial files too.
func TestLongNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{strings.Repeat("n", 251) + ".png", strings.Repeat("ü", 125) + ".png", "\xff\xfe.png", strings.Repeat("\xff", 251) + ".png"} {
		p, err := Reserve(name, Keep)
		if err != nil {
			t.Errorf("%.20q…: %v", name, err)
			continue
		}
		if err := p.Commit(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(name); err != nil {
			t.Error(err)
		}
	}
	if err := CheckName(strings.Repeat("n", 256)); err == nil {
		t.Error("a name of 256 bytes is taken")
	}
	if err := CheckName("good.png"); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat("good.png"); err == nil {
		t.Error("good.png was left")
	}
}
