package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/faces"
	"nstfilter/pipeline/host"
	"nstfilter/pipeline/journal"
	"nstfilter/weights"
)

// stateShare bounds the time that goes into saving what a film would go on from: a state is
// saved only when so many times its own cost has passed. A killed job loses no more.
const stateShare = 40

// undecisive are the parts of an engine's name on which the result does not depend: the
// number of threads, and which of several equal GPUs it is.
var undecisive = regexp.MustCompile(`, \d+ threads?$|^cuda:\d+ `)

// stateBytes is what two states, the latest and the one that replaces it, take for each pixel
// of a frame.
const stateBytes = 2 * 80

// settingsText returns all that decides a result beside the input and the engine, by option,
// as text. Files count by their contents.
func (j *Job) settingsText(networks []*weights.Network, styles []timedStyle) (map[string]string, error) {
	all := map[string]string{"version": j.Version}
	for _, options := range []any{j.Filter, j.Coherence, j.Video} {
		v := reflect.ValueOf(options)
		for i := range v.NumField() {
			text := fmt.Sprint(v.Field(i).Interface())
			if m, ok := v.Field(i).Interface().(encoding.TextMarshaler); ok {
				b, err := m.MarshalText()
				if err != nil {
					return nil, err
				}
				text = string(b)
			}
			all[v.Type().Field(i).Tag.Get("name")] = text
		}
	}
	for _, n := range networks {
		all["network"] += n.SHA256 + " "
	}
	files := map[string]string{}
	if start, ok := strings.CutPrefix(j.Filter.Init, "image:"); ok {
		files["init"] = start
	}
	for i, s := range styles {
		files[fmt.Sprintf("style %d", i+1)] = s.file
		all[fmt.Sprintf("style %d's time", i+1)] = s.at.String()
	}
	for name, file := range files {
		sum, err := hashFile(file)
		if err != nil {
			return nil, err
		}
		all[name] = sum
	}
	return all, nil
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// hashFile returns the SHA-256 of a file and of its length.
func hashFile(path string) (string, error) {
	h := sha256.New()
	err := addFile(h, path)
	return hex.EncodeToString(h.Sum(nil)), err
}

// addFile adds a file to a hash of several.
func addFile(h hash.Hash, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	n, err := io.Copy(h, f)
	f.Close()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(h, "/%d", n)
	return nil
}

// openJournal opens the journal of a film's output and says how far an earlier process has
// come. It returns nil if the film cannot be gone on with: because --no-resume says so,
// because nothing is painted, because the file that it is read from cannot be read twice, or
// because the disk has no room for so many bytes.
func (w *worker) openJournal(t paintTask, out string, frames, bytes int64) (*journal.Journal, error) {
	if w.options.NoResume || !w.settings.Paints() {
		return nil, nil
	}
	in := t.in
	settings, err := w.decisiveFor(t)
	if err != nil {
		return nil, err
	}
	switch {
	case t.sequence != nil && t.pattern == "":
		if settings["input"], err = hashPictures(t.sequence); err != nil || settings["input"] == "" {
			return nil, err
		}
	case t.sequence == nil:
		if info, err := os.Stat(in); err != nil || !info.Mode().IsRegular() {
			return nil, err
		}
		if settings["input"], err = hashFile(in); err != nil {
			return nil, err
		}
	}
	j, err := journal.Open(journal.Record{Output: out, Input: in, Frames: frames, Settings: settings, Memory: w.filter.MaxMemory}, w.options.Restart)
	if err != nil {
		return nil, err
	}
	if free := host.FreeDisk(filepath.Dir(out)); !j.Resumed && free > 0 && bytes > free {
		w.reporter.say(fmt.Sprintf("%s: to go on from where it is interrupted would take %s in %s, and %s are free: it is painted all the same, and begins anew if it is interrupted; make room, or add --no-resume if that is meant",
			in, formatGB(bytes), filepath.Dir(out), formatGB(free)))
		return nil, j.Remove()
	}
	if j.Resumed && !j.Completed(out) {
		if w.options.MaxMemory == 0 && j.Memory > 0 {
			w.filter.MaxMemory = min(w.filter.MaxMemory, j.Memory) // or it may work in other tiles
		}
		of := ""
		if frames > 0 {
			of = fmt.Sprintf(" of %d", frames)
		}
		w.reporter.say(fmt.Sprintf("%s: %d%s frames were done before: going on behind them (--restart begins anew)", in, j.Done, of))
	}
	return j, nil
}

// resumption is how a stylizer takes part in a journal. The zero resumption has none.
type resumption struct {
	journal *journal.Journal
	kept    int64        // frames that are done and not painted again
	left    int          // index of the frame whose painting was carried behind the last of them, or −1
	due     atomic.Int64 // when the next state may be saved, in Unix nanoseconds
}

// filmState is what a state file holds, for encoding/gob.
type filmState struct {
	Analyzed *analyzerState
	History  []byte
	Loop     []loopPicture // content and result of the first frame, for --loop
	Colours  *filter.PhotoColours
}

// analyzerState is the part of a filmState that is known before the frame is painted.
type analyzerState struct {
	Analyzer []byte
	Faces    []faces.Track
	Anchor   []loopPicture // content and result of the frame, if its result is carried on
	Ages     []float32     // of its pixels
	Shares   []float64     // of the styles in it
	Left     int           // analyzedFrame.left
	Alike    int           // stylizer.alike
}

// loopPicture is a frame of loop, or of an anchor.
type loopPicture struct {
	W, H  int
	Pix   []float32
	Alpha []float32
}

func pictureOf(f *filter.Frame) loopPicture {
	f = f.Filled()
	return loopPicture{f.W, f.H, f.Pix, f.Alpha}
}

func (p *loopPicture) frame(index int) *filter.Frame {
	return &filter.Frame{W: p.W, H: p.H, Index: index, Pix: p.Pix, Alpha: p.Alpha}
}

// resume makes s go on behind the frames that j has. j may be nil.
func (s *stylizer) resume(j *journal.Journal) error {
	if j == nil {
		return nil
	}
	s.resumption.journal, s.resumption.kept, s.ledger.kept = j, j.Done, int(j.Done)
	s.resumption.left = -1
	if j.Done == 0 || !s.holds() {
		return nil
	}
	state, err := s.readState()
	if err == nil {
		s.resumption.left = state.Analyzed.Left
	}
	return err
}

// unread is how many of the first frames need not be read, but for the last of these.
func (s *stylizer) unread() int {
	if s.resumption.left >= 0 {
		return min(int(s.resumption.kept), s.resumption.left+1)
	}
	return int(s.resumption.kept)
}

// keptFrame adds what goes to the sink for a frame that is done: the frame as it was
// read, at the size of the output. At the last such frame it restores what the next one is
// painted from.
func (s *stylizer) keptFrame(a *analyzedFrame) error {
	f := a.frame
	if int64(f.Index) == s.resumption.kept-1 {
		if err := s.restore(a); err != nil {
			return err
		}
	}
	out := *f
	if s.worker.settings.OutputSize == "work" {
		out.W, out.H, out.Pix = s.plan.W, s.plan.H, nil
	}
	a.kept, a.shares = &out, s.styleShares(f)
	return nil
}

// restore restores what the frame behind a is painted from.
func (s *stylizer) restore(a *analyzedFrame) error {
	if s.analyzer == nil && !s.strides() {
		return nil
	}
	j := s.resumption.journal
	state, err := s.readState()
	if err == nil && s.analyzer != nil {
		err = s.analyzer.ReadState(bytes.NewReader(state.Analyzed.Analyzer))
	}
	if err == nil && s.history != nil {
		err = s.history.ReadState(bytes.NewReader(state.History))
	}
	if err != nil {
		return fmt.Errorf("%s: %w: add --restart to begin anew", j.Output, err)
	}
	if s.faces != nil {
		s.faces.Tracks = state.Analyzed.Faces
	}
	a.state, s.alike = state.Analyzed, state.Analyzed.Alike
	if len(state.Loop) == 2 {
		s.loop.content = state.Loop[0].frame(0)
		s.keepFirst(state.Loop[1].frame(0))
	}
	if state.Colours != nil {
		s.worker.filter.SetPhotoColours(state.Colours)
	}
	return nil
}

// readState reads what was saved behind the frames that are done.
func (s *stylizer) readState() (*filmState, error) {
	j := s.resumption.journal
	file, err := j.OpenState()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	state := &filmState{Analyzed: &analyzerState{}}
	if err := gob.NewDecoder(file).Decode(state); err != nil {
		return nil, fmt.Errorf("%s: %w: add --restart to begin anew", j.Output, err)
	}
	return state, nil
}

// analyzerState returns what the analyzer knows behind frame a, and the faces there, if a state is
// due, else nil.
func (s *stylizer) analyzerState(a *analyzedFrame) (*analyzerState, error) {
	if s.resumption.journal == nil || s.worker.coherence.Passes == 1 && time.Now().UnixNano() < s.resumption.due.Load() {
		return nil, nil
	}
	state := &analyzerState{Left: a.left, Alike: s.alike}
	if s.faces != nil {
		state.Faces = slices.Clone(s.faces.Tracks)
	}
	if s.analyzer != nil {
		var b bytes.Buffer
		if err := s.analyzer.WriteState(&b); err != nil {
			return nil, err
		}
		state.Analyzer = b.Bytes()
	}
	return state, nil
}

// saveState saves what the frame behind frame index is painted from, if analyzer, of
// analyzerState, is not nil.
func (s *stylizer) saveState(index int, analyzer *analyzerState) error {
	if analyzer == nil {
		return nil
	}
	began := time.Now()
	state := filmState{Analyzed: analyzer, Colours: s.worker.filter.PhotoColours()}
	if s.loop.result != nil {
		for _, f := range []*filter.Frame{s.loop.content, s.loop.result} {
			state.Loop = append(state.Loop, pictureOf(f))
		}
	}
	if s.history != nil {
		var b bytes.Buffer
		if err := s.history.WriteState(&b); err != nil {
			return err
		}
		state.History = b.Bytes()
	}
	err := s.resumption.journal.SaveState(int64(index)+1, func(w io.Writer) error { return gob.NewEncoder(w).Encode(&state) })
	s.resumption.due.Store(time.Now().Add(stateShare * time.Since(began)).UnixNano())
	return err
}

// journalSink tells the journal of the frames that its sink has taken.
type journalSink struct {
	Sink
	journal *journal.Journal
}

func (s journalSink) WriteFrame(f *filter.Frame) error {
	if err := s.Sink.WriteFrame(f); err != nil {
		return err
	}
	return s.journal.Written(int64(f.Index) + 1)
}

// End removes the journal of a complete output. Otherwise the journal stays for the same
// command to go on, if a frame is done.
func (s journalSink) End(cause error) error {
	err := s.Sink.End(cause)
	if err == nil || errors.As(err, &PartlyError{}) {
		return errors.Join(err, s.journal.Remove())
	}
	s.journal.Close()
	return err
}

// goOnText says how to go on, if j keeps frames of a job that failed.
func goOnText(j *journal.Journal) string {
	if j == nil || j.Done == 0 {
		return ""
	}
	return fmt.Sprintf("%d frames are done and kept: the same command goes on behind them", j.Done)
}

// fingerprint identifies a photo's result by all that decides it.
func (w *worker) fingerprint(t paintTask) (string, error) {
	sum, err := hashFile(t.in)
	if err != nil {
		return "", err
	}
	decisive, err := w.decisiveFor(t)
	if err != nil {
		return "", err
	}
	settings, err := json.Marshal(decisive) // sorts the keys
	if err != nil {
		return "", err
	}
	all := sha256.Sum256(fmt.Appendf(nil, "%s %s", sum, settings))
	return hex.EncodeToString(all[:]), nil
}

// errDoneBefore is of a photo that an earlier run of the same command has painted.
var errDoneBefore = errors.New("was done before")

// paintBatched paints a photo of several, unless an earlier run of the same command did: then
// it returns errDoneBefore.
func (w *worker) paintBatched(ctx context.Context, t paintTask) error {
	if w.options.NoResume || t.batch == nil {
		return w.paintPhoto(ctx, t)
	}
	id, err := w.fingerprint(t)
	if err != nil {
		return err
	}
	if !w.options.Restart && t.batch.Done(t.out, id) {
		return errDoneBefore
	}
	if err := t.check(w.options.Overwrite); err != nil {
		return err
	}
	if fileExists(t.out) { // and is marked once it is replaced
		if err := w.paintPhoto(ctx, t); err != nil {
			return err
		}
		return t.batch.Mark(t.out, id)
	}
	if err := t.batch.Mark(t.out, id); err != nil { // before the file is there: no moment is between
		return err
	}
	err = w.paintPhoto(ctx, t)
	if err != nil && !fileExists(t.out) { // an interruption may come behind the file
		return errors.Join(err, t.batch.Forget(t.out))
	}
	return err
}
