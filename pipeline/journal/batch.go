package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"nstfilter/video/outfile"
)

const donePrefix = "done-"

// Batch remembers which results of a batch are done, and by which settings, in files of a
// folder beside them: .PATTERN.nstfilter. Several processes may work on one batch.
type Batch struct{ folder string }

// OpenBatch returns the batch whose results are named by a pattern such as out/%s.jpg.
func OpenBatch(pattern string) *Batch { return &Batch{Folder(pattern)} }

func (b *Batch) path(output string) string {
	sum := sha256.Sum256([]byte(filepath.Base(output)))
	return filepath.Join(b.folder, donePrefix+hex.EncodeToString(sum[:16]))
}

// Done reports whether the output is there, and was marked with the same fingerprint.
func (b *Batch) Done(output, fingerprint string) bool {
	text, err := os.ReadFile(b.path(output))
	if err != nil {
		return false
	}
	_, err = os.Stat(output)
	return err == nil && strings.TrimSpace(string(text)) == fingerprint
}

// Begun reports whether any result is marked.
func (b *Batch) Begun() bool { return fileExists(b.folder) }

// Mark notes that the output, once it is there, is done.
func (b *Batch) Mark(output, fingerprint string) error {
	if err := os.MkdirAll(b.folder, 0o700); err != nil {
		return err
	}
	return outfile.Write(b.path(output), outfile.Replace, func(w io.Writer) error {
		_, err := io.WriteString(w, fingerprint+"\n")
		return err
	})
}

// Forget removes the marks of outputs, and the folder if no mark is left: the batch is
// complete.
func (b *Batch) Forget(outputs []string) error {
	var err error
	for _, o := range outputs {
		err = errors.Join(err, removeFile(b.path(o)))
	}
	os.Remove(b.folder) // fails if another process has marks there
	return err
}
