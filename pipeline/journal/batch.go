package journal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nstfilter/video/outfile"
)

const (
	donePrefix     = "done-"
	completePrefix = "complete-"
)

// Batch remembers which results of a batch are done, and by which settings, in files of a
// folder beside them: .PATTERN.nstfilter. Several processes may work on one batch.
type Batch struct{ folder string }

// OpenBatch returns the batch whose results are named by a pattern such as out/%s.jpg.
func OpenBatch(pattern string) *Batch { return &Batch{Folder(pattern)} }

func (b *Batch) path(output string) string { return filepath.Join(b.folder, mark(output)) }

// mark is the name of an output's mark.
func mark(output string) string {
	sum := sha256.Sum256([]byte(filepath.Base(output)))
	return donePrefix + hex.EncodeToString(sum[:16])
}

// Done reports whether the output is there, and was marked with the same fingerprint.
func (b *Batch) Done(output, fingerprint string) bool {
	if _, err := os.Stat(output); err != nil {
		return false
	}
	if text, err := os.ReadFile(b.path(output)); err == nil {
		return strings.TrimSpace(string(text)) == fingerprint
	}
	return slices.Contains(b.forgotten(), mark(output)+" "+fingerprint)
}

// forgotten returns the marks that a killed Forget was removing, each with its fingerprint.
func (b *Batch) forgotten() (marks []string) {
	lists, _ := withPrefix(b.folder, completePrefix)
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		marks = append(marks, strings.Split(string(text), "\n")...)
	}
	return marks
}

// Begun reports whether any result is marked.
func (b *Batch) Begun() bool { return fileExists(b.folder) }

// Mark notes that the output, once it is there, is done.
func (b *Batch) Mark(output, fingerprint string) error {
	if err := os.MkdirAll(b.folder, 0o700); err != nil {
		return err
	}
	return writeText(b.path(output), fingerprint+"\n")
}

// Forget removes the marks of outputs, and the folder if no mark is left: the batch is
// complete. A list of the marks stands for them until all are gone, so that a kill in
// between leaves none undone.
func (b *Batch) Forget(outputs []string) error {
	if !b.Begun() {
		return nil
	}
	var marks strings.Builder
	for _, o := range outputs {
		if text, err := os.ReadFile(b.path(o)); err == nil {
			fmt.Fprintf(&marks, "%s %s\n", mark(o), strings.TrimSpace(string(text)))
		}
	}
	list := filepath.Join(b.folder, completePrefix+rand.Text())
	err := errors.Join(b.restore(), writeText(list, marks.String()))
	if err != nil {
		return err
	}
	for _, o := range outputs {
		err = errors.Join(err, removeFile(b.path(o)))
	}
	err = errors.Join(err, removeFile(list))
	os.Remove(b.folder) // fails if another process has marks there
	return err
}

// restore makes marks again of the lists that killed processes have left.
func (b *Batch) restore() error {
	lists, err := withPrefix(b.folder, completePrefix)
	for _, m := range b.forgotten() {
		name, fingerprint, ok := strings.Cut(m, " ")
		if path := filepath.Join(b.folder, filepath.Base(name)); ok && strings.HasPrefix(name, donePrefix) && !fileExists(path) {
			err = errors.Join(err, writeText(path, fingerprint+"\n"))
		}
	}
	if err != nil {
		return err
	}
	for _, list := range lists {
		err = errors.Join(err, removeFile(list))
	}
	return err
}

// withPrefix returns the files in a folder whose names begin with one of the prefixes.
func withPrefix(folder string, prefixes ...string) (paths []string, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(e.Name(), p) }) {
			paths = append(paths, filepath.Join(folder, e.Name()))
		}
	}
	return paths, err
}

func writeText(path, text string) error {
	return outfile.Write(path, outfile.Replace, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}
