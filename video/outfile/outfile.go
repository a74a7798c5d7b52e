package outfile

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode/utf8"
)

// Mode says what a name may do to a file that has it.
type Mode bool

// Keep lets an existing file be; Replace puts the new one in its place.
const (
	Keep    Mode = false
	Replace Mode = true
)

// Pending is a file that is not complete. It ends with one call of Commit or Abort;
// another call does nothing.
type Pending struct {
	Partial string // its name until Commit

	// BeforeCommit, if there is one, is called when the file is complete and has not got its
	// name yet. An error aborts it.
	BeforeCommit func(fs.FileInfo) error

	path        string
	mode        Mode
	permissions fs.FileMode // of the file that is replaced; 0: there is none
	ended       bool
}

// pending are the files that have not ended.
var pending = struct {
	sync.Mutex
	files map[*Pending]bool
}{files: map[*Pending]bool{}}

// AbortAll removes all partial files, for a process that must end at once.
func AbortAll() {
	pending.Lock()
	defer pending.Unlock()
	for p := range pending.files {
		os.Remove(p.Partial)
	}
}

func (p *Pending) setEnded(ended bool) {
	pending.Lock()
	defer pending.Unlock()
	if p.ended = ended; ended {
		delete(pending.files, p)
	} else {
		pending.files[p] = true
	}
}

// maxBase is how much of a name, in bytes, the partial one keeps: file systems end names at
// 255 bytes.
const maxBase = 120

// Reserve creates an empty file beside path: .NAME.RANDOM.partial.EXT. It neither follows a
// link of that name nor opens a file of somebody else. With Replace it is given the
// permissions of the file at path; if path is a link, the file that the link points to
// will be replaced, and the partial file lies beside that.
func Reserve(path string, mode Mode) (*Pending, error) {
	return reserve("", path, filepath.Ext(path), mode)
}

// ReserveIn is Reserve with the partial file in a folder of the same file system, which is
// left to the caller to clear if the process is killed.
func ReserveIn(folder, path string, mode Mode) (*Pending, error) {
	return reserve(folder, path, filepath.Ext(path), mode)
}

// reserve makes a partial file with the extension ext, beside the file if folder is empty.
func reserve(folder, path, ext string, mode Mode) (*Pending, error) {
	p := &Pending{path: path, mode: mode}
	info, err := os.Lstat(path)
	switch {
	case err == nil && mode == Keep:
		return nil, existsError(path)
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s: is a folder: name a file", path)
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, fmt.Errorf("%s: is a link that leads nowhere: remove it, or name a file: %w", path, err)
		}
		return reserve(folder, target, ext, mode)
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is no file but a device, a pipe or a socket: name a file", path)
	case err == nil:
		p.permissions = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	p.Partial = filepath.Join(cmp.Or(folder, filepath.Dir(path)), partialName(path, ext))
	mask := fs.FileMode(0o666) // and less by umask
	if p.permissions != 0 {
		mask = p.permissions | 0o200
	}
	f, err := os.OpenFile(p.Partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mask)
	if failure := (*fs.PathError)(nil); errors.As(err, &failure) {
		failure.Op, failure.Path = "create", path // the name that the user knows
	}
	if err != nil {
		return nil, err
	}
	p.setEnded(false)
	return p, f.Close()
}

func partialName(path, ext string) string {
	return partialStem(path) + "." + rand.Text()[:randomLength] + partialMark + ext
}

const (
	partialMark  = ".partial"
	randomLength = 12
)

// RemovePartials removes what killed processes have left of the files at these paths.
func RemovePartials(paths ...string) error {
	stems := map[string]map[string]bool{} // by folder
	for _, path := range paths {
		folder := filepath.Dir(path)
		if stems[folder] == nil {
			stems[folder] = map[string]bool{}
		}
		stems[folder][partialStem(path)+filepath.Ext(path)] = true
	}
	var failed error
	for folder, wanted := range stems {
		entries, err := os.ReadDir(folder)
		failed = errors.Join(failed, err)
		for _, e := range entries {
			name := e.Name()
			if i := strings.LastIndex(name, partialMark); i > randomLength && wanted[name[:i-randomLength-1]+name[i+len(partialMark):]] {
				failed = errors.Join(failed, os.Remove(filepath.Join(folder, name)))
			}
		}
	}
	return failed
}

// partialStem is what the partial names of a file begin with.
func partialStem(path string) string {
	base := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if len(base) > maxBase {
		base = base[:maxBase]
		for len(base) > 0 && !utf8.ValidString(base[max(0, len(base)-utf8.UTFMax):]) { // a cut character
			base = base[:len(base)-1]
		}
	}
	return "." + base
}

// CheckName reports a name that the file system does not take: too long, or with
// characters that it has not. It creates the file and removes it.
func CheckName(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(path))
}

// Path returns the name that Commit gives.
func (p *Pending) Path() string { return p.path }

// Rename changes the name that Commit gives, to another one in the same folder.
func (p *Pending) Rename(path string, mode Mode) {
	p.path, p.mode = filepath.Join(filepath.Dir(p.path), filepath.Base(path)), mode
}

// Commit writes the file to the disk and gives it its name. If that fails, for instance
// because with Keep another file has taken the name meanwhile, the partial file is removed.
func (p *Pending) Commit() error {
	if p.ended {
		return nil
	}
	err := syncFile(p.Partial)
	if err == nil && p.permissions != 0 {
		err = os.Chmod(p.Partial, p.permissions)
	}
	if err == nil && p.BeforeCommit != nil {
		var info fs.FileInfo
		if info, err = os.Lstat(p.Partial); err == nil {
			err = p.BeforeCommit(info)
		}
	}
	if err == nil {
		err = p.publish()
	}
	if err != nil {
		p.Abort()
		return err
	}
	p.setEnded(true)
	syncFile(filepath.Dir(p.path)) // the name; not every file system can
	return nil
}

func (p *Pending) publish() error {
	if p.mode == Replace {
		return os.Rename(p.Partial, p.path)
	}
	err := os.Link(p.Partial, p.path) // which, unlike a rename, never replaces
	switch {
	case err == nil:
		return os.Remove(p.Partial)
	case errors.Is(err, fs.ErrExist):
		return existsError(p.path)
	}
	if _, err := os.Lstat(p.path); err == nil { // a file system without hard links
		return existsError(p.path)
	}
	return os.Rename(p.Partial, p.path)
}

// Abort removes the partial file.
func (p *Pending) Abort() {
	if !p.ended {
		os.Remove(p.Partial)
		p.setEnded(true)
	}
}

// Write writes a file at once.
func Write(path string, mode Mode, write func(io.Writer) error) error {
	p, err := Reserve(path, mode)
	if err != nil {
		return err
	}
	defer p.Abort()
	f, err := os.OpenFile(p.Partial, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	return p.Commit()
}

func existsError(path string) error {
	return fmt.Errorf("%s exists: add -y to replace it, or choose another name", path)
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
