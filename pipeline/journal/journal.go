package journal

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"nstfilter/video/outfile"
)

// Journal is the folder .NAME.nstfilter beside an output. One process at a time has it
// open. It holds:
//
//	record.json   what the job is, and how far it is
//	frames        the samples of the painted frames, one after the other, as the encoder gets them,
//	              each with its checksum
//	state-N       what the frame behind frame N−1 is painted from
//	lock          locked by the process that paints
//
// record.json is replaced as a whole once the frames and the state that it speaks of are on
// the disk; what goes beyond it is dropped. A Journal's methods may be called by two
// goroutines, the painter's and the writer's: SaveState by the one, all others by the other.
type Journal struct {
	Record
	Begun   bool // an earlier process has begun the output
	Resumed bool // it has done frames, and j goes on behind them

	folder  string
	lock    *lock
	frames  *os.File
	written int64 // frames in the file, of which the record may have fewer

	saved chan savedState // states that are on the disk, for frames that may not be
	ready *savedState     // of these, the one that is taken out of saved
}

// Record is what record.json holds.
type Record struct {
	Output   string            `json:"output"`
	Input    string            `json:"input"`
	Settings map[string]string `json:"settings"` // all that decides the result, by option; files by their hashes
	Frames   int64             `json:"frames,omitempty"`
	InputSum string            `json:"input_sum,omitempty"` // of what the frames that are done were read from, if they are files
	Began    time.Time         `json:"began"`

	Done       int64     `json:"done"` // frames
	FrameBytes int64     `json:"frame_bytes,omitempty"`
	State      string    `json:"state,omitempty"` // file
	StateSum   uint32    `json:"state_sum,omitempty"`
	Saved      time.Time `json:"saved,omitzero"`
	Partial    string    `json:"partial,omitempty"`  // a playable part of the output, kept by an interruption
	Complete   string    `json:"complete,omitempty"` // identity of the file that completed the output

	// What a machine decides for itself, and must decide alike when it goes on.
	Width  int   `json:"width,omitempty"` // painted at
	Height int   `json:"height,omitempty"`
	Memory int64 `json:"memory,omitempty"`
	Reach  int64 `json:"reach,omitempty"` // of keys, in frames
}

type savedState struct {
	done int64 // frames that it stands behind
	name string
	sum  uint32
}

const (
	suffix     = ".nstfilter"
	recordName = "record.json"
	framesName = "frames"
	sumBytes   = 4
)

// castagnoli is the checksum of frames and states: disks and strangers change files.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Folder returns the folder of the output's journal.
func Folder(output string) string {
	base := filepath.Base(output)
	if len(base) > 200 { // file systems end names at 255 bytes
		sum := sha256.Sum256([]byte(base))
		base = hex.EncodeToString(sum[:16])
	}
	return filepath.Join(filepath.Dir(output), "."+base+suffix)
}

// Exists reports whether the output has a journal: an earlier process has begun it.
func Exists(output string) bool {
	_, err := readRecord(Folder(output))
	return err == nil
}

// Completed reports whether the output, a file, is complete, and only the removal of its
// journal was cut short.
func Completed(output string) bool {
	r, err := readRecord(Folder(output))
	return err == nil && r.Completed(output)
}

// Completed reports whether file is the one that completed the job, so that only Remove is
// left to call.
func (r *Record) Completed(file string) bool {
	info, err := os.Lstat(file)
	return err == nil && r.Complete == identity(info)
}

// identity tells a file from another that was put in its place.
func identity(f fs.FileInfo) string {
	return fmt.Sprintf("%d bytes of %s", f.Size(), f.ModTime().UTC().Format(time.RFC3339Nano))
}

// Open makes the journal of want.Output, or goes on with the one that is there if its
// settings are the same. restart drops that one. Open fails if another process paints this
// output, and if the settings differ.
func Open(want Record, restart bool) (*Journal, error) {
	folder := Folder(want.Output)
	l, err := lockFolder(folder, want.Output)
	if err != nil {
		return nil, err
	}
	j := &Journal{folder: folder, lock: l, saved: make(chan savedState, 64)}
	had, err := readRecord(folder)
	j.Begun = !errors.Is(err, fs.ErrNotExist)
	if err == nil && !restart && (had.Done > 0 || had.Completed(want.Output)) {
		err = j.goOn(had, want)
	} else if err == nil || errors.Is(err, fs.ErrNotExist) || restart {
		err = j.begin(want)
	} else {
		err = fmt.Errorf("%s: what an earlier run kept in %s is damaged (%w): add --restart to begin anew", want.Output, folder, err)
	}
	if err != nil {
		j.closeFrames()
		l.release()
		return nil, err
	}
	return j, nil
}

// begin begins anew. If it fails nothing is left.
func (j *Journal) begin(want Record) error {
	j.Record = want
	j.Began = time.Now().Round(time.Second)
	err := j.clear()
	if err == nil {
		err = j.openFrames()
	}
	if err != nil {
		j.Remove()
	}
	return j.named(err)
}

// goOn takes over what an earlier process did.
func (j *Journal) goOn(had, want Record) error {
	if names := differences(had.Settings, want.Settings); len(names) > 0 {
		return fmt.Errorf("%s: %d frames of it are done with another %s (in %s): give the same to go on, or add --restart to begin anew",
			want.Output, had.Done, strings.Join(names, ", "), j.folder)
	}
	j.Record, j.Resumed, j.written = had, true, had.Done
	j.Output, j.Input = want.Output, want.Input // which a folder's change may have renamed
	if had.Completed(want.Output) {
		return nil
	}
	if info, err := os.Stat(j.path(framesName)); j.FrameBytes > 0 && (err != nil || info.Size()/j.slotBytes() < j.Done) {
		return fmt.Errorf("%s: of the %d frames that are done some are gone from %s: add --restart to begin anew", want.Output, had.Done, j.folder)
	}
	if err := j.clear(recordName, framesName, j.State); err != nil {
		return err
	}
	return j.named(j.openFrames())
}

// openFrames opens the frames, without what goes beyond the record, and writes the record.
func (j *Journal) openFrames() (err error) {
	if j.frames, err = os.OpenFile(j.path(framesName), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	if err := j.frames.Truncate(j.Done * j.slotBytes()); err != nil {
		return err
	}
	return j.writeRecord()
}

// named names the output and the remedy of an error in the journal's files.
func (j *Journal) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: what the same command would go on from cannot be kept: %w: make room, or add --no-resume", j.Output, err)
}

// differences returns the names of the settings that differ.
func differences(a, b map[string]string) (names []string) {
	for name := range a {
		if v, ok := b[name]; !ok || v != a[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (j *Journal) path(name string) string { return filepath.Join(j.folder, name) }

// slotBytes is what a frame takes in the file: nothing if the job keeps none.
func (j *Journal) slotBytes() int64 {
	if j.FrameBytes == 0 {
		return 0
	}
	return j.FrameBytes + sumBytes
}

// Frame returns the samples of a frame that is done.
func (j *Journal) Frame(i int64) ([]byte, error) {
	slot := make([]byte, j.slotBytes())
	if _, err := j.frames.ReadAt(slot, i*j.slotBytes()); err != nil {
		return nil, fmt.Errorf("frame %d, which is done, cannot be read back from %s: %w: add --restart to begin anew", i, j.folder, err)
	}
	samples, sum := slot[:j.FrameBytes], slot[j.FrameBytes:]
	if crc32.Checksum(samples, castagnoli) != binary.LittleEndian.Uint32(sum) {
		return nil, fmt.Errorf("frame %d, which is done, has changed in %s: add --restart to begin anew", i, j.folder)
	}
	return samples, nil
}

// Append keeps the samples of the next frame, which are as many as those of the frames
// before.
func (j *Journal) Append(samples []byte) error {
	if j.written == 0 {
		j.FrameBytes = int64(len(samples))
	}
	at, sum := j.written*j.slotBytes(), binary.LittleEndian.AppendUint32(nil, crc32.Checksum(samples, castagnoli))
	_, err := j.frames.WriteAt(samples, at)
	if err == nil {
		_, err = j.frames.WriteAt(sum, at+j.FrameBytes)
	}
	if err != nil {
		return j.named(fmt.Errorf("frame %d: %w", j.written, err))
	}
	j.written++
	return nil
}

// SaveState writes what the frame behind the first done ones is painted from. It counts
// once Written is called for the last of these.
func (j *Journal) SaveState(done int64, write func(io.Writer) error) error {
	s := savedState{done: done, name: fmt.Sprintf("state-%d", done)}
	f, err := os.OpenFile(j.path(s.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return j.named(err)
	}
	sum := crc32.New(castagnoli)
	if err := errors.Join(write(io.MultiWriter(f, sum)), f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return j.named(err)
	}
	s.sum = sum.Sum32()
	j.saved <- s
	return nil
}

// Written says that so many frames are with the encoder or in their files. If a state is
// saved that stands behind them, the record goes on to there.
func (j *Journal) Written(done int64) error {
	for {
		if j.ready == nil {
			select {
			case s := <-j.saved:
				j.ready = &s
			default:
				return nil
			}
		}
		if j.ready.done > done {
			return nil
		}
		s := *j.ready
		j.ready = nil
		if err := j.commit(s); err != nil {
			return err
		}
	}
}

func (j *Journal) commit(s savedState) error {
	before := j.State
	if err := j.frames.Sync(); err != nil {
		return j.named(err)
	}
	j.Done, j.State, j.StateSum, j.Saved = s.done, s.name, s.sum, time.Now().Round(time.Second)
	if err := j.writeRecord(); err != nil {
		return j.named(err)
	}
	if before != "" {
		os.Remove(j.path(before))
	}
	return nil
}

// Reserve makes a file in the journal, for the encoder to write the output to. What a killed
// process has left there is removed by the next one.
func (j *Journal) Reserve(mode outfile.Mode) (*outfile.Pending, error) {
	p, err := outfile.ReserveIn(j.folder, j.Output, mode)
	if err != nil {
		return nil, err
	}
	p.BeforeCommit = func(info fs.FileInfo) error {
		if p.Path() != j.Output {
			return nil // a part of it
		}
		return j.complete(info) // before it has its name: no moment is between
	}
	return p, nil
}

// CompleteWith notes the last file of an output of several.
func (j *Journal) CompleteWith(file string) error {
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	return j.complete(info)
}

func (j *Journal) complete(file fs.FileInfo) error {
	j.Complete = identity(file)
	return j.named(j.writeRecord())
}

// Keep notes a playable part of the output, which Remove removes with the rest.
func (j *Journal) Keep(partial string) error {
	j.Partial = partial
	return j.writeRecord()
}

// OpenState opens the state behind the frames that are done. The caller closes it.
func (j *Journal) OpenState() (io.ReadCloser, error) {
	f, err := os.Open(j.path(j.State))
	if err != nil {
		return nil, fmt.Errorf("%s: what the next frame is painted from is gone: %w: add --restart to begin anew", j.Output, err)
	}
	sum := crc32.New(castagnoli)
	if _, err = io.Copy(sum, f); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil && sum.Sum32() != j.StateSum {
		err = errors.New("it has changed")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: what the next frame is painted from, %s, is damaged: %w: add --restart to begin anew", j.Output, j.path(j.State), err)
	}
	return f, nil
}

func (j *Journal) writeRecord() error {
	return outfile.Write(j.path(recordName), outfile.Replace, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		r := j.Record
		r.Output, r.Input, r.Partial = escaped(r.Output), escaped(r.Input), escaped(r.Partial)
		return e.Encode(&r)
	})
}

// escaped writes the bytes of a file's name that are not UTF-8, which JSON does not hold, and
// every % as %XX.
func escaped(name string) string {
	var b strings.Builder
	for len(name) > 0 {
		r, n := utf8.DecodeRuneInString(name)
		if r == '%' || r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, "%%%02X", name[0])
		} else {
			b.WriteString(name[:n])
		}
		name = name[n:]
	}
	return b.String()
}

// Close lets another process have the journal. If no frame is done it is removed.
func (j *Journal) Close() error {
	if j.Done == 0 {
		return j.Remove()
	}
	return cmp.Or(j.closeFrames(), j.lock.release())
}

func (j *Journal) closeFrames() error {
	if j.frames == nil {
		return nil
	}
	err := j.frames.Close()
	j.frames = nil
	return err
}

// Remove removes the journal, for an output that is complete or given up.
func (j *Journal) Remove() error {
	err := j.closeFrames()
	if j.Partial != "" {
		err = errors.Join(err, removeFile(filepath.Join(filepath.Dir(j.folder), filepath.Base(j.Partial))))
	}
	// The record goes last: if we are killed, it says that there is nothing else to do.
	return errors.Join(err, j.clear(recordName), removeFile(j.lock.path), j.clear(), removeFile(j.folder), j.lock.release())
}

// clear removes the files of a journal but its lock and those to keep. It leaves alone what
// is not of the journal.
func (j *Journal) clear(keep ...string) error {
	all, err := os.ReadDir(j.folder)
	for _, e := range all {
		n := e.Name()
		ours := n == recordName || n == framesName || strings.HasPrefix(n, "state-") || strings.Contains(n, ".partial")
		if ours && !slices.Contains(keep, n) {
			err = errors.Join(err, removeFile(j.path(n)))
		}
	}
	return err
}

func fileExists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func removeFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// readRecord reads record.json, whose values may be anybody's.
func readRecord(folder string) (r Record, err error) {
	b, err := os.ReadFile(filepath.Join(folder, recordName))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, err
	}
	for _, name := range []*string{&r.Output, &r.Input, &r.Partial} {
		if *name, err = url.PathUnescape(*name); err != nil {
			return r, err
		}
	}
	if r.Done < 0 || r.FrameBytes < 0 || r.Done > 0 && (r.State == "" || filepath.Base(r.State) != r.State || !strings.HasPrefix(r.State, "state-")) {
		return r, errors.New("its numbers make no sense")
	}
	return r, nil
}
