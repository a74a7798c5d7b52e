package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"nstfilter/filter/limits"
	"nstfilter/pipeline/journal"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/outfile"
)

// paintTask is one input and where its result goes.
type paintTask struct {
	in      string // file, or - for stdin
	out     string // file, or - for stdout; empty if sequence has it
	options string // how to write pictures: the text between the output's brackets

	under      string // folder of in below the folder that the command names, if it names one
	makeFolder bool   // of out

	animation bool              // in is an animated WebP, a film whatever its name
	picture   bool              // in holds a photo, though its name does not say so
	sequence  []sequencePicture // the frames, if in names those of a film; else nil
	pattern   string            // of results that are numbered: out/%05d.png; out is the same of a film
	strength  *mapFile          // how much is painted; nil: all
	keys      []keyFile         // paintings of its frames
	mask      *mapFile          // of the regions; nil: it is painted as a whole
	batch     *journal.Batch    // of a photo that is one of several; else nil
	checked   bool              // check has found no error
	refused   error             // why the input does not go with the output, if others do; else nil
}

func (t *paintTask) isPipe() bool { return t.in == "-" }
func (t *paintTask) isPhoto() bool {
	return t.sequence == nil && t.refused == nil && !t.animation && (t.picture || photo.IsPhoto(t.in))
}
func (t *paintTask) isFilm() bool {
	return !t.isPipe() && !t.isPhoto() && t.sequence == nil && t.refused == nil
}

// results are the files that the task makes.
func (t *paintTask) results() []string {
	if t.sequence == nil || t.pattern == "" {
		return []string{t.out}
	}
	var all []string
	for _, p := range t.sequence {
		all = append(all, p.out)
	}
	return all
}

// filmExtensions are the containers that a film can be written to.
var filmExtensions = []string{".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif", ".apng", ".avi", ".ts", ".mpg", ".ogv", ".nut"}

// UsageExamples are the ways to call the program.
const UsageExamples = `    ffmpeg -i in.mkv -f yuv4mpegpipe - | nstfilter --style S.jpg | ffmpeg -i - out.mkv
        a stage in a pipe
    nstfilter --style S.jpg - - <in.png >out.png
        a photo in a pipe, in the format that it has, or in that of '-.webp[Q=80]'
    nstfilter --style S.jpg in.mkv out.mkv
        a film, with its sound
    nstfilter --style S.jpg 'frames/%05d.png' 'out/%05d.png'
        a film in numbered pictures, or in those of a glob: 'frames/*.png'
    nstfilter --style S.jpg in.mkv 'out/%05d.png'
        a film to numbered pictures; the other way round they have a --rate
    nstfilter --style S.jpg -o 'out/%s.jpg[Q=90]' photos/*.jpg
        photos
    nstfilter --style S.jpg --recursive photos/ out/
        all photos of a folder, each under its name`

func isFilm(path string) bool {
	return slices.Contains(filmExtensions, strings.ToLower(filepath.Ext(path)))
}

// extensionNames are the extensions of photos and films without their dots.
func extensionNames() (names []string) {
	for _, e := range slices.Concat(photo.Extensions(), filmExtensions) {
		names = append(names, e[1:])
	}
	return names
}

func unknownExtension(path string) error {
	ext := strings.ToLower(filepath.Ext(path))
	if ext == "" {
		return UsageErrorf("%s: its extension says what it becomes: %s.jpg, %s.png, … for a photo, %s.mkv, %s.mp4, … for a film; %s/ is a folder", path, path, path, path, path, path)
	}
	return UsageErrorf("%s: unknown extension %q; photos are written to %s, films to %s%s", path, ext, strings.Join(photo.Extensions(), " "),
		strings.Join(filmExtensions, " "), limits.Hint(ext[1:], extensionNames()))
}

// parseInputs reads the arguments: none or - is a pipe, two are IN and OUT, and with
// --output all are inputs. An argument that names several pictures as frames is one task. The
// notes say what of folders is left out.
func parseInputs(ins []string, output string, recursive bool) (tasks []paintTask, notes []string, err error) {
	switch {
	case len(ins) == 0 && output == "", slices.Equal(ins, []string{"-"}) && output == "", slices.Equal(ins, []string{"-", "-"}) && output == "":
		return []paintTask{{in: "-", out: "-"}}, nil, nil
	case len(ins) == 2 && output == "" && ins[0] == "-" && strings.HasPrefix(ins[1], "-."):
		t, err := pipedPhoto(ins[1])
		return []paintTask{t}, nil, err
	case len(ins) == 0:
		return nil, nil, UsageErrorf("--output %s without an input: name the files to paint", output)
	case output == "" && len(ins) == 1 && isFolder(ins[0]):
		return nil, nil, UsageErrorf("%s: where should the results go? Add a folder, which is made if it is missing: nstfilter … %s painted/", ins[0], ins[0])
	case output == "" && len(ins) == 1:
		return nil, nil, UsageErrorf("%s: where should the result go? Add its name, or --output", ins[0])
	case output == "" && len(ins) > 2:
		return nil, nil, UsageErrorf("%d arguments: give IN OUT, or several inputs with --output 'out/%%s.jpg'", len(ins))
	case output == "":
		ins, output = ins[:1], ins[1]
	}
	if slices.Contains(ins, "-") || output == "-" {
		return nil, nil, UsageErrorf("- stands for both stdin and stdout, alone: ffmpeg -i IN -f yuv4mpegpipe - | nstfilter --style S.jpg | ffmpeg -i - OUT")
	}
	pattern, err := photo.ParseOutput(output)
	if err != nil {
		return nil, nil, UsageErrorf("%v", err)
	}
	f := inputFinder{out: pattern, recursive: recursive}
	for _, in := range ins {
		if err := f.add(in); err != nil {
			return nil, nil, err
		}
	}
	if tasks = f.tasks; recursive && !slices.ContainsFunc(tasks, func(t paintTask) bool { return t.under != "" }) {
		return nil, nil, UsageErrorf("--recursive is for the subfolders of a folder, and none is named")
	}
	refused := 0
	for i := range tasks {
		if err := tasks[i].setOutput(pattern); err != nil {
			tasks[i].refused = err
			refused++
		}
	}
	if refused == len(tasks) {
		return nil, nil, tasks[0].refused
	}
	setBatch(tasks, pattern)
	return tasks, f.notes, checkOutputs(tasks, pattern)
}

// pipedPhoto is the task of a photo that is piped and comes out as the extension of output
// says: -.webp[Q=80].
func pipedPhoto(output string) (paintTask, error) {
	o, err := photo.ParseOutput(output)
	if err != nil {
		return paintTask{}, UsageErrorf("%v", err)
	}
	if !photo.IsPhoto("stdout" + o.Path[1:]) {
		return paintTask{}, UsageErrorf("%s: a photo is written to stdout as one of -%s; frames go to -", output, strings.Join(photo.Extensions(), " -"))
	}
	return paintTask{in: "-", out: "stdout" + o.Path[1:], options: o.Options}, nil
}

// setBatch makes several photos, or all of a folder, a batch, whose marks are in the folder of
// the results.
func setBatch(tasks []paintTask, pattern photo.Output) {
	if strings.Contains(filepath.Dir(pattern.Path), "%s") {
		return // there are several folders
	}
	name := pattern.Path
	if pattern.NamesFolder() {
		name = filepath.Join(name, "%s")
	}
	batch := journal.OpenBatch(name)
	for i := range tasks {
		if t := &tasks[i]; (len(tasks) > 1 || t.under != "") && t.isPhoto() {
			t.batch = batch
		}
	}
}

// removeBatchPartials removes what killed runs of a batch that is complete have left.
func removeBatchPartials(tasks []paintTask) error {
	var done []string
	for _, t := range tasks {
		if t.batch != nil {
			done = append(done, t.out)
		}
	}
	return outfile.RemovePartials(done...)
}

// setOutput sets where the task's result goes.
func (t *paintTask) setOutput(pattern photo.Output) (err error) {
	toFolder := pattern.NamesFolder()
	if t.sequence == nil && !t.isPhoto() && (photo.IsPhoto(pattern.Path) || toFolder && fileExists(t.in)) {
		t.picture = photo.Holds(t.in)
	}
	t.animation = t.sequence == nil && isFilm(pattern.Path) && photo.IsAnimatedWebP(t.in)
	t.makeFolder = toFolder || t.under != ""
	switch t.options = pattern.Options; {
	case toFolder:
		return t.setFolderOutput(pattern.Path)
	case t.sequence != nil:
		return t.setSequenceOutput(pattern)
	case !photo.IsPhoto(pattern.Path) && !isFilm(pattern.Path):
		if t.under != "" && filepath.Ext(pattern.Path) == "" {
			return UsageErrorf("%s: there is no such folder: write %s/ to have it made", pattern.Path, pattern.Path)
		}
		return unknownExtension(pattern.Path)
	case !t.isPhoto():
		return t.setFilmOutput(pattern)
	case !photo.IsPhoto(pattern.Path):
		return UsageErrorf("%s is a photo, %s is not: name a photo, such as %s", t.in, pattern.Path, withExtension(pattern.Path, ".jpg"))
	}
	if t.out, err = pattern.PathFor(t.in); err != nil {
		return UsageErrorf("%v", err)
	}
	if t.under != "" {
		t.out = filepath.Join(filepath.Dir(t.out), t.under, filepath.Base(t.out))
	}
	return nil
}

func (t *paintTask) setFilmOutput(pattern photo.Output) error {
	path := pattern.Path
	if !isFilm(path) {
		if _, err := os.Stat(t.in); errors.Is(err, fs.ErrNotExist) {
			return photo.NoSuchFile(t.in)
		}
		if name, numbered, err := parseSequenceName(nameInPattern(path, t.in)); numbered && t.sequence == nil {
			t.pattern, t.out = name.String(), name.String()
			if err != nil {
				return UsageErrorf("--output %v", err)
			}
			return nil
		}
		if isFilm(t.in) {
			return UsageErrorf("%s holds no still picture that is known here, it is a film, and %s is a photo: name a film, %s, or numbered pictures, %s",
				t.in, path, withExtension(path, ".mkv"), withExtension(path, "-%04d"+filepath.Ext(path)))
		}
		return UsageErrorf("%s holds no still picture that is known here: see that the file is what you mean; what is painted as a film becomes one, such as %s", t.in, withExtension(nameInPattern(path, t.in), ".mkv"))
	}
	if pattern.String() != path {
		return UsageErrorf("%s: options in brackets are for photos; %s is a film", pattern, path)
	}
	if t.out = nameInPattern(path, t.in); t.sequence != nil {
		t.out = path
		if strings.Contains(path, "%s") {
			return UsageErrorf("--output %s: name the film that %d pictures become, without %%s", path, len(t.sequence))
		}
	}
	return nil
}

// withExtension returns path with another extension.
func withExtension(path, ext string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + ext
}

// nameInPattern puts the input's name without its extension in the place of each %s.
func nameInPattern(path, in string) string {
	base := filepath.Base(in)
	return strings.ReplaceAll(path, "%s", strings.TrimSuffix(base, filepath.Ext(base)))
}

// checkOutputs reports two pictures or films with one result and an input that would be
// written over.
func checkOutputs(tasks []paintTask, pattern photo.Output) error {
	var photos []string
	var pairs []sequencePicture
	for _, t := range tasks {
		if t.isPhoto() {
			photos = append(photos, t.in)
		}
		if t.out != "" && t.refused == nil {
			pairs = append(pairs, sequencePicture{in: t.in, out: t.out})
		}
		pairs = append(pairs, t.sequence...)
	}
	if _, numbered, _ := parseSequenceName(pattern.Path); numbered && len(photos) > 1 && !strings.Contains(pattern.Path, "%s") {
		return UsageErrorf("--output %s numbers the frames of one film, and here are %d photos: name them by a glob in quotes, '%s', or use %%s for each by itself",
			pattern, len(photos), filepath.Join(filepath.Dir(photos[0]), "*"+filepath.Ext(photos[0])))
	}
	var folders folderNumbers
	inputs, from := map[fileIdentity]string{}, map[fileIdentity]string{}
	for _, p := range pairs {
		inputs[folders.identify(p.in)] = p.in
	}
	for _, p := range pairs {
		if p.out == "" {
			continue // a frame of a film
		}
		id := folders.identify(p.out)
		if in, ok := inputs[id]; ok {
			return UsageErrorf("%s would be written over: give the results another name or folder", in)
		}
		first, taken := from[id]
		switch from[id] = p.in; {
		case taken && first == p.in:
			return UsageErrorf("%s is named twice: leave one out", p.in)
		case taken && p.out == pattern.Path:
			return UsageErrorf("output %q: %d inputs need a %%s, which stands for each input's name: 'out/%%s.jpg', or a folder: out/", pattern, len(pairs))
		case taken:
			return UsageErrorf("%s and %s would both become %s: rename one, or paint them to different folders", first, p.in, p.out)
		}
	}
	return nil
}

// fileIdentity is equal for two paths of one file, even if their folder has two names, or one
// is a link to the other.
type fileIdentity struct {
	folder int
	base   string
}

// folderNumbers gives each folder a number.
type folderNumbers struct {
	known map[string]int
	infos []fs.FileInfo // by number; nil if there is no such folder
}

func (f *folderNumbers) identify(path string) fileIdentity {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
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

// unfinished reports whether an earlier run has left frames or photos of the task.
func (t *paintTask) unfinished() bool {
	switch {
	case t.batch != nil:
		return t.batch.Begun()
	case t.pattern != "":
		return journal.Exists(t.pattern)
	}
	return !t.isPipe() && journal.Exists(t.out)
}

// check reports, before any work, an input that is missing and a result that exists or
// cannot be written.
func (t *paintTask) check(overwrite bool) error {
	if t.checked || t.isPipe() {
		return nil
	}
	err := t.checkFiles(overwrite)
	t.checked = err == nil
	return err
}

func (t *paintTask) checkFiles(overwrite bool) error {
	if t.sequence != nil && t.pattern != "" {
		return checkSequenceFiles(t.sequence, overwrite || journal.Exists(t.pattern))
	} else if t.sequence != nil {
		return checkResult(t.out, overwrite || journal.Completed(t.out))
	}
	if _, err := os.Stat(t.in); errors.Is(err, fs.ErrNotExist) {
		if fileExists(t.out) {
			return fmt.Errorf("%s: no such file, but %s is there: the input comes first, then the result: nstfilter … %s %s", t.in, t.out, t.out, t.in)
		}
		return photo.NoSuchFile(t.in)
	} else if err != nil {
		return err
	}
	if t.pattern != "" {
		return t.checkPictures(overwrite || journal.Exists(t.pattern))
	}
	if err := checkResult(t.out, overwrite || journal.Completed(t.out)); err != nil {
		return err
	}
	if t.isPhoto() {
		return photo.CanWrite(t.out)
	}
	return nil
}

// checkResult reports a result that exists, and one that cannot have its name or be in its
// folder.
func checkResult(out string, overwrite bool) error {
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		return fmt.Errorf("%s: is a folder: name a file, in it or elsewhere", out)
	}
	if _, err := os.Lstat(out); err == nil && !overwrite {
		return fmt.Errorf("%s exists: add -y to replace it, or choose another name", out)
	}
	return cmp.Or(checkFolder(out), checkName(out))
}

// checkName reports a name that the file system does not take.
func checkName(out string) error {
	err := outfile.CheckName(out)
	if errors.Is(err, syscall.ENAMETOOLONG) {
		return fmt.Errorf("%s: the name is too long for its folder: choose a shorter one", out)
	}
	return photo.ExplainWriteError(out, err)
}

func checkFolder(out string) error {
	if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: there is no folder %s: make it first: mkdir -p %s", out, filepath.Dir(out), filepath.Dir(out))
	}
	return nil
}

// checkFilmOptions reports options that none of the inputs has a use for.
func checkFilmOptions(o *video.Options, tasks []paintTask) error {
	var reads, pictures, encodes bool // films in files, numbered pictures, films in files
	for _, t := range tasks {
		reads = reads || t.isFilm()
		pictures = pictures || t.sequence != nil
		encodes = encodes || (t.isFilm() || t.sequence != nil) && t.pattern == ""
	}
	for name, given := range map[string]bool{
		"start": o.Start > 0 && !reads, "duration": o.Duration > 0 && !reads, "no-deinterlace": o.NoDeinterlace && !reads, "hwaccel": o.HWAccel != "" && !reads,
		"encoder": o.Encoder != "auto" && !encodes, "encoder-options": len(o.EncoderOptions) > 0 && !encodes,
	} {
		if given {
			return UsageErrorf("--%s is for films in files, and here is none; in a pipe it is for the ffmpeg before or behind", name)
		}
	}
	if o.Rate != video.DefaultOptions().Rate && !pictures {
		return UsageErrorf("--rate is for numbered pictures, and here are none: films keep their own times")
	}
	return nil
}
