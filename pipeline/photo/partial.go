package photo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// writeFile writes .NAME.partial.EXT beside path and renames it. If that fails, neither file
// is left.
func writeFile(path string, data []byte) (err error) {
	folder, name := filepath.Split(path)
	ext := filepath.Ext(name)
	partial := filepath.Join(folder, "."+strings.TrimSuffix(name, ext)+".partial"+ext)
	file, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return explainFileError(path, err)
	}
	defer func() {
		if err != nil {
			os.Remove(partial)
		}
	}()
	_, err = file.Write(data)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	return explainFileError(path, err)
}

// explainFileError names the file, the cause, and what to do about it. It returns nil if err
// is nil.
func explainFileError(path string, err error) error {
	var remedy string
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		if _, e := os.Stat(filepath.Dir(path)); e != nil {
			return fmt.Errorf("%s: there is no folder %s; make it first: %w", path, filepath.Dir(path), fs.ErrNotExist)
		}
		remedy = "check the name"
	case errors.Is(err, fs.ErrPermission):
		remedy = "choose another folder, or change its rights"
	case errors.Is(err, syscall.ENOSPC):
		remedy = "make room, or choose another disk"
	default:
		remedy = "check the file and its folder"
	}
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return fmt.Errorf("%s: %w; %s", path, err, remedy)
}
