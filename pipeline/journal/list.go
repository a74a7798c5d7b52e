package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Unfinished is a job that a folder has a journal of.
type Unfinished struct {
	Record        // of a film or an image sequence; zero for a batch of photos
	Folder string // of the journal
	Photos int    // that are done, of a batch
	Bytes  int64  // on the disk
	Busy   bool   // a process works on it
}

// Name returns the output's name.
func (u *Unfinished) Name() string {
	if u.Output != "" {
		return u.Output
	}
	base := strings.TrimPrefix(filepath.Base(u.Folder), ".")
	return filepath.Join(filepath.Dir(u.Folder), strings.TrimSuffix(base, suffix))
}

// List returns the unfinished jobs, and the batches of photos, whose results go into a folder.
func List(folder string) (all []Unfinished, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if name := e.Name(); !e.IsDir() || !strings.HasPrefix(name, ".") || !strings.HasSuffix(name, suffix) {
			continue
		}
		u := Unfinished{Folder: filepath.Join(folder, e.Name())}
		files, err := os.ReadDir(u.Folder)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if info, err := f.Info(); err == nil {
				u.Bytes += info.Size()
			}
		}
		done, err := marks(u.Folder)
		if err != nil {
			return nil, err
		}
		u.Photos = len(done)
		if u.Photos == 0 {
			u.Record, _ = readRecord(u.Folder) // a damaged one is listed too
			u.Busy = busy(u.Folder)
		}
		all = append(all, u)
	}
	return all, err
}

// busy reports whether a process holds the folder's lock.
func busy(folder string) bool {
	l, err := lockFolder(folder, folder)
	if err != nil {
		return true
	}
	l.release()
	return false
}

// Remove removes a job's journal. It fails if a process works on it.
func (u *Unfinished) Remove() error {
	if u.Photos > 0 {
		all, err := marks(u.Folder)
		for _, path := range all {
			err = errors.Join(err, removeFile(path))
		}
		return errors.Join(err, os.Remove(u.Folder))
	}
	l, err := lockFolder(u.Folder, u.Name())
	if err != nil {
		return err
	}
	j := &Journal{folder: u.Folder, lock: l} // without Partial: that is the user's now
	if err := j.Remove(); err != nil {
		return fmt.Errorf("%s: %w", u.Folder, err)
	}
	return nil
}
