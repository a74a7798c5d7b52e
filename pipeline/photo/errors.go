package photo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"nstfilter/filter/limits"
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
		if folder := filepath.Dir(path); !fileExists(folder) {
			return fmt.Errorf("%s: there is no folder %s; make it first: %w", path, folder, fs.ErrNotExist)
		}
		return NoSuchFile(path)
	case sandbox.Denies(err):
		remedy = sandbox.Remedy
	case errors.Is(err, fs.ErrPermission):
		if remedy = "choose another folder, or change its rights"; fileExists(path) {
			remedy = "change its rights, which ls -l shows, or copy it"
		}
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

// ExplainWriteError is ExplainFileError for a file that was to be made.
func ExplainWriteError(path string, err error) error {
	if folder := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) && fileExists(folder) { // as /proc says
		return fmt.Errorf("%s: no file can be made in %s; choose another folder", path, folder)
	}
	return ExplainFileError(path, err)
}

// NoSuchFile says what a path that leads to no file may have meant: a file of nearly this name,
// or one to be fetched first.
func NoSuchFile(path string) error {
	scheme, rest, address := strings.Cut(path, "://")
	folder := filepath.Dir(path)
	switch {
	case address && rest != "" && !strings.ContainsRune(scheme, filepath.Separator):
		return fmt.Errorf("%s is an address, and only files are read: fetch it first, as with curl -LO %s", path, path)
	case !fileExists(folder):
		return fmt.Errorf("%s: no such file: there is no folder %s; check the name", path, folder)
	}
	entries, _ := os.ReadDir(folder) // of a folder that cannot be read no name is near
	var names, stems []string        // the extension is often the mistake, and near to every other
	for _, e := range entries {
		if name := e.Name(); IsPhoto(name) || filepath.Ext(name) == filepath.Ext(path) {
			names, stems = append(names, name), append(stems, stem(name))
		}
	}
	if near := limits.Nearest(stem(path), stems); near != "" {
		return fmt.Errorf("%s: no such file; did you mean %s?", path, filepath.Join(folder, names[slices.Index(stems, near)]))
	}
	return fmt.Errorf("%s: no such file; check the name", path)
}

// stem is a file's name without its folder and its extension.
func stem(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
