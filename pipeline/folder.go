package pipeline

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nstfilter/pipeline/photo"
)

// inputFinder makes tasks of the command's inputs. A folder becomes a task for each picture in
// it, and so does a glob in quotes if results keep their names in a folder.
type inputFinder struct {
	out       photo.Output
	recursive bool

	tasks []paintTask
	notes []string // on what is left out
}

// add adds the tasks of an input.
func (f *inputFinder) add(in string) error {
	info, err := os.Stat(in)
	switch {
	case err == nil && info.IsDir():
		return f.addFolder(in)
	case err != nil && f.out.NamesFolder() && strings.ContainsAny(in, "*?["):
		if _, numbered, _ := parseSequenceName(in); numbered {
			break
		}
		names, err := globFiles(in)
		for _, name := range names {
			if err == nil {
				err = f.add(name)
			}
		}
		return err
	}
	t := paintTask{in: in}
	if t.sequence, err = findSequence(in); err == nil {
		f.tasks = append(f.tasks, t)
	}
	return err
}

// addFolder adds the pictures of a folder, and says what else is there.
func (f *inputFinder) addFolder(folder string) error {
	results := f.out.Path
	if !f.out.NamesFolder() {
		results = filepath.Dir(results)
	}
	if sameFile(folder, results) {
		return UsageErrorf("the results would go into %s, and be painted themselves the next time: choose another folder", folder)
	}
	w := folderWalk{finder: f, root: folder, results: results}
	before := len(f.tasks)
	if err := w.walk("."); err != nil {
		return err
	}
	var left []string
	for _, part := range []struct {
		n          int
		one, other string
	}{{w.films, "film (name it by itself)", "films (name them by themselves)"}, {w.others, "file that is no picture", "files that are no pictures"}, {w.folders, "subfolder (--recursive paints it too)", "subfolders (--recursive paints them too)"}} {
		switch {
		case part.n == 1:
			left = append(left, "1 "+part.one)
		case part.n > 1:
			left = append(left, fmt.Sprintf("%d %s", part.n, part.other))
		}
	}
	found := len(f.tasks) - before
	if found == 0 {
		text := "nothing else either"
		if left != nil {
			text = strings.Join(left, ", ")
		}
		return fmt.Errorf("%s: there is no picture in it, but %s", folder, text)
	}
	if left != nil {
		f.notes = append(f.notes, fmt.Sprintf("%s: %d pictures; left out: %s", folder, found, strings.Join(left, ", ")))
	}
	return nil
}

// folderWalk looks for pictures in a folder.
type folderWalk struct {
	finder                 *inputFinder
	root, results          string // results lie in a folder that is passed by
	films, others, folders int    // that are left out
}

// walk adds the pictures of a subfolder of the root. Hidden files are none. A picture is known
// by its extension, so that a damaged one is a failure that is told, or else by its contents.
func (w *folderWalk) walk(under string) error {
	entries, err := os.ReadDir(filepath.Join(w.root, under))
	if err != nil {
		return photo.ExplainFileError(filepath.Join(w.root, under), err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return naturalOrder(a.Name(), b.Name()) })
	for _, e := range entries {
		path := filepath.Join(w.root, under, e.Name())
		info, err := os.Stat(path) // follows links to files
		switch {
		case strings.HasPrefix(e.Name(), "."), sameFile(path, w.results):
		case e.IsDir() && w.finder.recursive:
			if err := w.walk(filepath.Join(under, e.Name())); err != nil {
				return err
			}
		case e.IsDir() || err == nil && info.IsDir(): // a link to a folder may lead in circles
			w.folders++
		case err == nil && !info.Mode().IsRegular():
			w.others++
		case photo.IsAnimatedWebP(path):
			w.films++
		case photo.IsPhoto(path):
			w.finder.tasks = append(w.finder.tasks, paintTask{in: path, under: under})
		case photo.Holds(path):
			w.finder.tasks = append(w.finder.tasks, paintTask{in: path, under: under, picture: true})
		case isFilm(path):
			w.films++
		default:
			w.others++
		}
	}
	return nil
}

// setFolderOutput gives the result the input's name in a folder, or in a subfolder of it.
func (t *paintTask) setFolderOutput(folder string) error {
	folder = filepath.Join(folder, t.under)
	switch {
	case t.sequence != nil:
		return t.setSequenceOutput(photo.Output{Path: filepath.Join(folder, filepath.Base(t.in))})
	case t.isPhoto():
		t.out = filepath.Join(folder, photo.ResultName(t.in))
	case isFilm(t.in):
		t.out = filepath.Join(folder, filepath.Base(t.in))
	case !fileExists(t.in):
		return photo.NoSuchFile(t.in)
	default:
		return UsageErrorf("%s holds no still picture that is known here, and no film is written with its extension: name the result, such as %s",
			t.in, filepath.Join(folder, "%s.mkv"))
	}
	return nil
}

// makeFolders makes the folders of results that keep the names of their inputs.
func makeFolders(tasks []paintTask) error {
	made := map[string]bool{}
	for _, t := range tasks {
		folder := filepath.Dir(t.out)
		if t.pattern != "" {
			folder = filepath.Dir(t.pattern)
		}
		if !t.makeFolder || made[folder] || t.refused != nil {
			continue
		}
		made[folder] = true
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return photo.ExplainFileError(folder, err)
		}
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
