package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"

	"nstfilter/video/outfile"
)

// Batch remembers which results of a batch are done, and by which settings, in files of a
// folder beside them: .PATTERN.nstfilter. They stay, so that the same command can be given
// again when pictures have been added. Several processes may work on one batch.
type Batch struct{ folder string }

// OpenBatch returns the batch whose results are named by a pattern such as out/%s.jpg. They
// may be in subfolders of the pattern's.
func OpenBatch(pattern string) *Batch { return &Batch{Folder(pattern)} }

const donePrefix = "done-"

// path returns the name of an output's mark.
func (b *Batch) path(output string) string {
	name, err := filepath.Rel(filepath.Dir(b.folder), output)
	if err != nil {
		name = output
	}
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(b.folder, donePrefix+hex.EncodeToString(sum[:16]))
}

// Done reports whether the output is there, and was marked with the same fingerprint.
func (b *Batch) Done(output, fingerprint string) bool {
	if _, err := os.Stat(output); err != nil {
		return false
	}
	text, err := os.ReadFile(b.path(output))
	return err == nil && strings.TrimSpace(string(text)) == fingerprint
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

// Forget removes the mark of an output, and the folder if no mark is left.
func (b *Batch) Forget(output string) error {
	err := removeFile(b.path(output))
	os.Remove(b.folder) // fails if there are other marks
	return err
}

// marks returns the marks in a folder.
func marks(folder string) (paths []string, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), donePrefix) {
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
