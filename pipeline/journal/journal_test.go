package journal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nstfilter/video/outfile"
)

func record(settings ...string) Record {
	r := Record{Output: "o.mkv", Input: "in.mkv", Settings: map[string]string{}}
	for i := 0; i < len(settings); i += 2 {
		r.Settings[settings[i]] = settings[i+1]
	}
	return r
}

func open(t *testing.T, r Record, restart bool) *Journal {
	t.Helper()
	j, err := Open(r, restart)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// paint appends frames of one byte, and saves a state behind some of them.
func paint(t *testing.T, j *Journal, frames, states string) {
	t.Helper()
	for i := range frames {
		if strings.Contains(states, frames[i:i+1]) {
			err := j.SaveState(j.written+1, func(w io.Writer) error { _, err := io.WriteString(w, "behind "+frames[i:i+1]); return err })
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Append([]byte{frames[i]}); err != nil {
			t.Fatal(err)
		}
		if err := j.Written(j.written); err != nil {
			t.Fatal(err)
		}
	}
}

// die lets go of the journal as a process does that is killed.
func (j *Journal) die() {
	j.closeFrames()
	j.lock.release()
}

func state(t *testing.T, j *Journal) string {
	t.Helper()
	f, err := j.OpenState()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, _ := io.ReadAll(f)
	return string(b)
}

// A journal goes on behind the last frame that has a state, and drops what goes beyond.
func TestJournalGoesOn(t *testing.T) {
	t.Chdir(t.TempDir())
	j := open(t, record("a", "1"), false)
	paint(t, j, "abcde", "bd")
	if err := j.SaveState(6, func(w io.Writer) error { return nil }); err != nil { // of a frame that is not written
		t.Fatal(err)
	}
	j.die()
	if !Exists("o.mkv") {
		t.Error("the journal does not exist")
	}
	j = open(t, record("a", "1"), false)
	if !j.Resumed || j.Done != 4 || state(t, j) != "behind d" {
		t.Errorf("resumed %t, %d frames, state %q", j.Resumed, j.Done, state(t, j))
	}
	paint(t, j, "EF", "F")
	j.die()
	j = open(t, record("a", "1"), false)
	var all []byte
	for i := range j.Done {
		b, err := j.Frame(i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if string(all) != "abcdEF" || state(t, j) != "behind F" {
		t.Errorf("frames %q, state %q", all, state(t, j))
	}
	names, _ := filepath.Glob(filepath.Join(j.folder, "state-*"))
	if len(names) != 1 {
		t.Errorf("states %q are left", names)
	}
	if err := j.Remove(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// A job that was killed before its first frame stands in nobody's way.
func TestJournalWithoutFrames(t *testing.T) {
	t.Chdir(t.TempDir())
	open(t, record("a", "1"), false).die()
	j := open(t, record("a", "2"), false)
	if j.Resumed || j.Settings["a"] != "2" {
		t.Errorf("it goes on with %v", j.Settings)
	}
	j.Close()
}

// Another setting is named, and nothing is lost by it; --restart begins anew.
func TestJournalOfOtherSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	j := open(t, record("a", "1", "b", "2"), false)
	paint(t, j, "ab", "b")
	j.die()
	for range 2 {
		if _, err := Open(record("a", "2", "c", "2"), false); err == nil || !strings.Contains(err.Error(), "o.mkv: 2 frames of it are done with another a, b, c") {
			t.Errorf("%v", err)
		}
	}
	j = open(t, record("a", "1", "b", "2"), false)
	if j.Done != 2 {
		t.Errorf("%d frames are left", j.Done)
	}
	j.die()
	j = open(t, record("a", "2"), true)
	if !j.Begun || j.Resumed || j.Done != 0 {
		t.Error("--restart goes on")
	}
	j.Close()
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("%v is left of a job without frames", left)
	}
}

func TestJournalHasOneOwner(t *testing.T) {
	t.Chdir(t.TempDir())
	j := open(t, record(), false)
	if _, err := Open(record(), true); err == nil || !strings.Contains(err.Error(), "o.mkv is being painted by another process (") {
		t.Errorf("the second: %v", err)
	}
	j.Close()
	j = open(t, record(), false)
	j.Close()
}

func TestDamagedJournal(t *testing.T) {
	t.Chdir(t.TempDir())
	j := open(t, record(), false)
	paint(t, j, "a", "a")
	j.die()
	os.Truncate(filepath.Join(Folder("o.mkv"), recordName), 20)
	if _, err := Open(record(), false); err == nil || !strings.Contains(err.Error(), "is damaged") || !strings.Contains(err.Error(), "--restart") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(Folder("o.mkv"), framesName)); err != nil {
		t.Error("the frames are gone")
	}
	open(t, record(), true).Close()
}

// Samples and states that a disk or somebody has changed are not painted from.
func TestJournalNoticesChanges(t *testing.T) {
	t.Chdir(t.TempDir())
	j := open(t, record(), false)
	paint(t, j, "abc", "b")
	j.die()
	flip := func(name string, at int64) {
		t.Helper()
		path := filepath.Join(Folder("o.mkv"), name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[at] ^= 1
		os.WriteFile(path, b, 0o600)
	}
	flip(framesName, 0)
	flip("state-2", 3)
	j = open(t, record(), false)
	defer j.Close()
	if _, err := j.Frame(0); err == nil || !strings.Contains(err.Error(), "frame 0, which is done, has changed") || !strings.Contains(err.Error(), "--restart") {
		t.Errorf("a changed frame: %v", err)
	}
	if b, err := j.Frame(1); err != nil || string(b) != "b" {
		t.Errorf("the one behind it: %q, %v", b, err)
	}
	if _, err := j.OpenState(); err == nil || !strings.Contains(err.Error(), "has changed") || !strings.Contains(err.Error(), "--restart") {
		t.Errorf("a changed state: %v", err)
	}
}

// What an encoder has left in the journal goes with the next process, and what is not the
// journal's stays.
func TestJournalTidiesUp(t *testing.T) {
	t.Chdir(t.TempDir())
	j := open(t, record(), false)
	file, err := j.Reserve(outfile.Keep)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(file.Partial+".cover1", nil, 0o600)
	os.WriteFile(filepath.Join(j.folder, "mine.txt"), nil, 0o600)
	paint(t, j, "a", "a")
	j.die()
	j = open(t, record(), false)
	names, _ := filepath.Glob(filepath.Join(j.folder, "*"))
	if strings.Contains(strings.Join(names, " "), "partial") {
		t.Errorf("%q are left", names)
	}
	j.Remove()
	if _, err := os.Stat(filepath.Join(Folder("o.mkv"), "mine.txt")); err != nil {
		t.Error("another's file was removed")
	}
}

// Killed between the output's getting its name and the end of Remove, there is nothing left
// to paint.
func TestCompleteOutputOutlivesItsJournal(t *testing.T) {
	for _, half := range []bool{false, true} {
		t.Chdir(t.TempDir())
		j := open(t, record(), false)
		paint(t, j, "ab", "b")
		file, err := j.Reserve(outfile.Keep)
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(file.Partial, []byte("film"), 0o600)
		if Completed("o.mkv") {
			t.Error("complete before it has its name")
		}
		if err := file.Commit(); err != nil {
			t.Fatal(err)
		}
		if half { // of Remove
			j.clear(recordName)
		}
		j.die()
		if !Completed("o.mkv") {
			t.Error("not complete")
		}
		j = open(t, record(), false)
		if !j.Completed("o.mkv") {
			t.Error("not complete once it is opened")
		}
		if err := j.Remove(); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir("."); len(left) != 1 {
			t.Errorf("%v are left", left)
		}
	}
}

func TestAnotherFileIsNotTheOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	j := open(t, record(), false)
	paint(t, j, "a", "a")
	os.WriteFile("1.png", []byte("picture"), 0o600)
	if err := j.CompleteWith("1.png"); err != nil {
		t.Fatal(err)
	}
	j.die()
	os.WriteFile("2.png", []byte("pictures"), 0o600)
	j = open(t, record(), false)
	if !j.Completed("1.png") || j.Completed("2.png") {
		t.Error("it takes one file for another")
	}
	j.Remove()
}

func TestFolderOfALongName(t *testing.T) {
	if n := len(filepath.Base(Folder("x/" + strings.Repeat("n", 251) + ".mkv"))); n > 255 {
		t.Errorf("%d bytes", n)
	}
}

func TestBatch(t *testing.T) {
	t.Chdir(t.TempDir())
	b := OpenBatch("%s.jpg")
	os.WriteFile("a.jpg", nil, 0o600)
	if b.Begun() || b.Done("a.jpg", "f") {
		t.Error("done before it was marked")
	}
	for _, name := range []string{"a.jpg", "b.jpg"} {
		if err := b.Mark(name, "f"); err != nil {
			t.Fatal(err)
		}
	}
	if !b.Begun() || !b.Done("a.jpg", "f") {
		t.Error("not done")
	}
	if b.Done("a.jpg", "g") {
		t.Error("done by another fingerprint")
	}
	if b.Done("b.jpg", "f") {
		t.Error("done without its file")
	}
	if err := b.Forget("b.jpg"); err != nil || !b.Done("a.jpg", "f") {
		t.Errorf("after Forget of another: %v", err)
	}
	if err := b.Forget("a.jpg"); err != nil || b.Begun() {
		t.Errorf("after Forget: %v", err)
	}
}

// Results of one name in several folders have marks of their own, wherever the program runs.
func TestBatchInSubfolders(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	b := OpenBatch("out/%s")
	for _, name := range []string{"out/x/a.jpg", "out/y/a.jpg"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Mark("out/x/a.jpg", "f"); err != nil {
		t.Fatal(err)
	}
	t.Chdir("out")
	b = OpenBatch("%s")
	if !b.Done("x/a.jpg", "f") || b.Done("y/a.jpg", "f") {
		t.Errorf("done: %t, %t", b.Done("x/a.jpg", "f"), b.Done("y/a.jpg", "f"))
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"done":3,"state":"state-3","frame_bytes":10}`))
	f.Add([]byte(`{"done":-1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		folder := t.TempDir()
		os.WriteFile(filepath.Join(folder, recordName), b, 0o600)
		r, err := readRecord(folder)
		if err == nil && (r.Done < 0 || r.FrameBytes < 0 || strings.Contains(r.State, "/") || bytes.ContainsRune(b, 0) && r.State != "" && r.Done > 0 && r.State[:6] != "state-") {
			t.Errorf("%+v", r)
		}
	})
}

// A record keeps the bytes of names that are not UTF-8, and those with %.
func TestRecordKeepsNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"o%05d.png", "o%E9.mkv", "o\xe9\xff.mkv", "ö �.mkv"} {
		j, err := Open(Record{Output: "new", Input: name, Partial: name, Settings: map[string]string{}}, true)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := readRecord(j.folder); err != nil || r.Input != name || r.Partial != name {
			t.Errorf("%q: %q, %q, %v", name, r.Input, r.Partial, err)
		}
		j.Partial = ""
		if err := j.Remove(); err != nil {
			t.Error(err)
		}
	}
}
