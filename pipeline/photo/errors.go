package photo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"nstfilter/pipeline/sandbox"
)

// ExplainFileError names the file, the cause, and what to do about it, for an error of the
// system. It returns any other error as it is.
func ExplainFileError(path string, err error) error {
	var remedy string
	var cause *fs.PathError
	var link *os.LinkError
	switch {
	case !errors.As(err, &cause) && !errors.As(err, &link):
		return err
	case errors.Is(err, fs.ErrNotExist):
		if _, e := os.Stat(filepath.Dir(path)); e != nil {
			return fmt.Errorf("%s: there is no folder %s; make it first: %w", path, filepath.Dir(path), fs.ErrNotExist)
		}
		remedy = "check the name"
	case sandbox.Denies(err):
		remedy = sandbox.Remedy
	case errors.Is(err, fs.ErrPermission):
		remedy = "choose another folder, or change its rights"
	case errors.Is(err, syscall.ENOSPC):
		remedy = "make room, or choose another disk"
	default:
		remedy = "check the file and its folder"
	}
	if cause != nil {
		err = cause.Err
	} else {
		err = link.Err
	}
	return fmt.Errorf("%s: %w; %s", path, err, remedy)
}
