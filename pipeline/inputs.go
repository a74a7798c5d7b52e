package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nstfilter/pipeline/photo"
)

// task is one input and where its result goes.
type paintTask struct {
	in  string // file, or - for stdin
	out string // file, a photo's with its options in brackets; - for stdout

	pictures []sequencePicture // the frames, where in names those of a film; out is empty then
	options  string            // for writing them
}

func (t paintTask) pipe() bool  { return t.in == "-" }
func (t paintTask) photo() bool { return t.pictures == nil && photo.IsPhoto(t.in) }

// filmExtensions are the containers that a film is written to.
var filmExtensions = []string{".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif", ".apng", ".avi", ".ts", ".mpg", ".ogv", ".nut"}

// Doors is how the filter is called.
const UsageExamples = `    ffmpeg -i in.mkv -f yuv4mpegpipe - | nstfilter --style S.jpg | ffmpeg -i - out.mkv
        a stage in a pipe
    nstfilter --style S.jpg in.mkv out.mkv
        a film, with its sound
    nstfilter --style S.jpg 'frames/%05d.png' 'out/%05d.png'
        a film in numbered pictures, or in those of a glob: 'frames/*.png'
    nstfilter --style S.jpg -o 'out/%s.jpg[Q=90]' photos/*.jpg
        photos`

func isFilm(path string) bool {
	return slices.Contains(filmExtensions, strings.ToLower(filepath.Ext(path)))
}

func unknownExtension(path string) error {
	return usageError("%s: unknown extension %q; photos are written to %s, films to %s",
		path, strings.ToLower(filepath.Ext(path)), strings.Join(photo.Extensions(), " "), strings.Join(filmExtensions, " "))
}

// tasks reads the arguments: none or - is a pipe, two are IN and OUT, with
// --output all are inputs. What names several pictures is one task.
func (j *Job) tasks() ([]paintTask, error) {
	ins, pattern := j.Inputs, j.Output
	switch {
	case len(ins) == 0 && pattern == "", slices.Equal(ins, []string{"-"}) && pattern == "", slices.Equal(ins, []string{"-", "-"}) && pattern == "":
		return []paintTask{{in: "-", out: "-"}}, nil
	case len(ins) == 0:
		return nil, usageError("--output %s without an input: name the files to paint", pattern)
	case pattern == "" && len(ins) == 1:
		return nil, usageError("%s: where should the result go? Add its name, or --output", ins[0])
	case pattern == "" && len(ins) > 2:
		return nil, usageError("%d arguments: give IN OUT, or several inputs with --output 'out/%%s.jpg'", len(ins))
	case pattern == "":
		ins, pattern = ins[:1], ins[1]
	}
	if slices.Contains(ins, "-") || pattern == "-" {
		return nil, usageError("- stands for both stdin and stdout, alone: ffmpeg -i IN -f yuv4mpegpipe - | nstfilter --style S.jpg | ffmpeg -i - OUT")
	}
	var photos []string
	var all []paintTask
	from := map[string]string{}
	for _, in := range ins {
		t, err := parseTask(in, pattern)
		if err != nil {
			return nil, err
		}
		switch first, taken := from[t.out]; {
		case t.photo():
			photos = append(photos, in)
		case t.pictures == nil && taken:
			return nil, usageError("%s and %s would both become %s: put %%s into --output, which stands for the input's name", first, in, t.out)
		}
		from[t.out] = in
		all = append(all, t)
	}
	if _, counted, _ := parseSequenceName(pattern); counted && len(photos) > 1 && !strings.Contains(pattern, "%s") {
		return nil, usageError("--output %s numbers the frames of one film, and here are %d photos: name them by a glob in quotes, '%s', or use %%s for each by itself",
			pattern, len(photos), filepath.Join(filepath.Dir(photos[0]), "*"+filepath.Ext(photos[0])))
	}
	if err := photo.CheckPattern(pattern, photos); err != nil {
		return nil, usageError("%v", err)
	}
	return all, checkApart(all)
}

func parseTask(in, pattern string) (paintTask, error) {
	t := paintTask{in: in}
	var err error
	if t.pictures, err = findSequence(in); err != nil {
		return t, err
	}
	if t.pictures != nil {
		return t, t.nameResults(pattern)
	}
	path, _, err := photo.ParseOutput(pattern)
	if err != nil {
		return t, usageError("%v", err)
	}
	toPhoto, toFilm := photo.IsPhoto(path), isFilm(path)
	switch {
	case !toPhoto && !toFilm:
		return t, unknownExtension(path)
	case t.photo() && !toPhoto:
		return t, usageError("%s is a photo, %s is not: use one of %s", in, path, strings.Join(photo.Extensions(), " "))
	case !t.photo() && !toFilm:
		if _, err := os.Stat(in); errors.Is(err, fs.ErrNotExist) {
			return t, fmt.Errorf("%s: no such file", in)
		}
		if _, counted, _ := parseSequenceName(path); counted && isFilm(in) {
			return t, usageError("%s is a film, %s names pictures: make pictures of it first, and paint these: ffmpeg -i %s FOLDER/%%05d.png", in, path, in)
		}
		return t, usageError("%s is no photo by its extension, so it is read as a film, but %s is a photo: use one of %s",
			in, path, strings.Join(filmExtensions, " "))
	}
	if t.photo() {
		if t.out, err = photo.OutputName(pattern, in); err != nil {
			return t, usageError("%v", err)
		}
		return t, nil
	}
	if path != pattern {
		return t, usageError("%s: options in brackets are for photos; %s is a film", pattern, path)
	}
	base := filepath.Base(in)
	t.out = strings.ReplaceAll(path, "%s", strings.TrimSuffix(base, filepath.Ext(base)))
	if a, err := os.Stat(in); err == nil {
		if b, err := os.Stat(t.out); err == nil && os.SameFile(a, b) {
			return t, usageError("%s would be written over: give the result another name", in)
		}
	}
	return t, nil
}

// check reports, before any work, an input that is missing and a result that is
// in the way or cannot be written.
func (t paintTask) check(overwrite bool) error {
	if t.pipe() {
		return nil
	}
	if t.pictures != nil {
		return t.checkPictures(overwrite)
	}
	if _, err := os.Stat(t.in); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such file", t.in)
	} else if err != nil {
		return err
	}
	out, _, err := photo.ParseOutput(t.out)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(out); err == nil && !overwrite {
		return fmt.Errorf("%s exists: add -y to replace it, or choose another name", out)
	}
	if err := hasFolder(out); err != nil {
		return err
	}
	if t.photo() {
		return photo.CanWrite(out)
	}
	return nil
}

func hasFolder(out string) error {
	if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: there is no folder %s: make it first", out, filepath.Dir(out))
	}
	return nil
}

// apart reports, where pictures of a film are among the inputs, two that would
// become one file, and one that would be written over.
func checkApart(all []paintTask) error {
	if !slices.ContainsFunc(all, func(t paintTask) bool { return t.pictures != nil }) {
		return nil
	}
	var pairs []sequencePicture
	for _, t := range all {
		if t.pictures == nil {
			path, _, err := photo.ParseOutput(t.out)
			if err != nil {
				return usageError("%v", err)
			}
			pairs = append(pairs, sequencePicture{in: t.in, out: path})
		}
		pairs = append(pairs, t.pictures...)
	}
	var folders folderNumbers
	inputs, from := map[fileIdentity]string{}, map[fileIdentity]string{}
	for _, p := range pairs {
		inputs[folders.place(p.in)] = p.in
	}
	for _, p := range pairs {
		at := folders.place(p.out)
		if in, ok := inputs[at]; ok {
			return usageError("%s would be written over: give the results another name or folder", in)
		}
		if first, taken := from[at]; taken {
			return usageError("%s and %s would both become %s: paint them to different folders", first, p.in, p.out)
		}
		from[at] = p.in
	}
	return nil
}

// place is a file, whatever name its folder goes by.
type fileIdentity struct {
	folder int
	base   string
}

// folders numbers folders.
type folderNumbers struct {
	known map[string]int
	infos []fs.FileInfo // by number; nil: there is none
}

func (f *folderNumbers) place(path string) fileIdentity {
	name := filepath.Dir(path)
	n, ok := f.known[name]
	if !ok {
		info, _ := os.Stat(name)
		n = slices.IndexFunc(f.infos, func(i fs.FileInfo) bool { return info != nil && i != nil && os.SameFile(i, info) })
		if n < 0 {
			n, f.infos = len(f.infos), append(f.infos, info)
		}
		if f.known == nil {
			f.known = map[string]int{}
		}
		f.known[name] = n
	}
	return fileIdentity{n, filepath.Base(path)}
}

// filmless is a usage error where options for films in files are given and there is
// none.
func (j *Job) filmless(tasks []paintTask) error {
	if slices.ContainsFunc(tasks, func(t paintTask) bool { return !t.pipe() && t.pictures == nil && !t.photo() }) {
		return nil
	}
	o := &j.Video
	for name, given := range map[string]bool{
		"start": o.Start > 0, "duration": o.Duration > 0, "no-deinterlace": o.NoDeinterlace, "hwaccel": o.HWAccel != "",
		"encoder": o.Encoder != "auto", "encoder-options": len(o.EncoderOptions) > 0,
	} {
		if given {
			return usageError("--%s is for films in files, and here is none; in a pipe it is for the ffmpeg before or behind", name)
		}
	}
	return nil
}
