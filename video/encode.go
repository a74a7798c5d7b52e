package video

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	ff "github.com/u2takey/ffmpeg-go"

	"nstfilter/filter"
	"nstfilter/video/outfile"
)

// FilmSink encodes frames to a file, with all that the film has beside its picture:
// sound, subtitles, attachments, chapters, metadata. It is a pipeline.Writer.
type FilmSink struct {
	ctx       context.Context
	film      *Film
	file      *outfile.Pending
	container string // the name's extension, in small letters
	covers    []cover
	encoding  encoding
	refused   map[int]int       // by a stream's index, how often the container did not take it
	tags      map[string]string // of colour, by ffprobe's names: what the encoder is asked for

	first float64 // frame's time in seconds of the film's clock

	store   FrameStore // nil: none
	kept    int64      // frames that store has and that are not painted again
	written int64      // frames

	p   *process // from the first frame on
	w   *NUTWriter
	err error // that ended it; the process is gone and the partial file too
}

// FrameStore keeps the samples of frames as the encoder gets them.
type FrameStore interface {
	Frame(i int64) ([]byte, error)
	Append(samples []byte) error
}

// Keep makes the sink, before its first frame, append the samples of every frame to store,
// whatever becomes of the encoder. Of the first kept frames, which store has, only the times
// count: their samples are taken from there.
func (s *FilmSink) Keep(store FrameStore, kept int64) { s.store, s.kept = store, kept }

// CreateFilm prepares to write film, repainted, to file, whose extension chooses the
// container, and the encoder where o does not (see usualEncoders). It rehearses with
// one black frame, so that what ffmpeg refuses is an error before the first painted
// frame. The file, which is aborted if CreateFilm fails, has its name from Close on.
// Cancelling ctx kills the encoder: leave it alone to keep what is done. Of o the encoder and
// the sound count; the rest is what OpenFilm was given.
func CreateFilm(ctx context.Context, film *Film, file *outfile.Pending, o Options) (sink *FilmSink, err error) {
	out := file.Path()
	s := &FilmSink{ctx: ctx, film: film, file: file}
	defer func() {
		if err != nil {
			s.clean()
		}
	}()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	extension := filepath.Ext(out)
	base := strings.TrimSuffix(filepath.Base(out), extension)
	if extension == "" || base == "" {
		return nil, fmt.Errorf("%s: its extension chooses the container; give one like .mp4, .mkv or .webm", out)
	}
	if a, err := os.Stat(film.Path); err == nil {
		if b, err := os.Stat(out); err == nil && os.SameFile(a, b) {
			return nil, fmt.Errorf("%s: is the film itself; give the result another name", out)
		}
	}
	film.options.NoAudio = o.NoAudio
	s.container = strings.ToLower(extension[1:])
	var lost []string
	if s.encoding, lost, err = chooseEncoding(ctx, film, s.container, &o); err != nil {
		return nil, fmt.Errorf("%s: %w", out, err)
	}
	if err := s.extractCovers(); err != nil {
		return nil, fmt.Errorf("%s: %w", film.Path, err)
	}
	if err := s.rehearseAll(); err != nil {
		return nil, fmt.Errorf("%s: %w", out, s.encoding.remedy(err, &o))
	}
	_, notes := s.encoder(film.W, film.H, false)
	film.Notes = slices.Concat(film.Notes, lost, notes, s.lostSideData())
	return s, nil
}

// rehearse encodes one black frame to the partial file and empties it.
func (s *FilmSink) rehearse() error {
	defer os.Truncate(s.file.Partial, 0)
	h := NUTHeader{Layout: s.film.layout, TimeBase: filter.Rational{Num: 1, Den: 25}}
	if base, err := parseRatio(strings.ReplaceAll(s.film.video.TimeBase, "/", ":")); err == nil && base.Num > 0 && base.Den > 0 {
		h.TimeBase = base // some encoders and containers do not take every one
	}
	h.W, h.H, h.Format = s.film.W, s.film.H, s.film.written()
	s.first = s.film.from()
	stream, _ := s.encoder(h.W, h.H, true)
	p, err := start(s.ctx, stream, true)
	if err != nil {
		return err
	}
	w := NewNUTWriter(p.pipe, h)
	f := filter.NewFrame(h.W, h.H)
	f.TimeBase = h.TimeBase
	f.PTS = max(0, int64(math.Ceil(s.film.from()*float64(h.TimeBase.Den)/float64(h.TimeBase.Num))))
	werr := w.WriteFrame(f)
	if err := p.finish(); err != nil {
		return err
	}
	if werr == nil {
		s.film.Notes = append(s.film.Notes, s.lostTags()...)
	}
	return werr
}

// lostTags are notes on colour tags that the rehearsal's file lacks.
func (s *FilmSink) lostTags() (notes []string) {
	text, err := (&Film{Path: s.file.Partial}).probe(s.ctx, ff.KwArgs{"select_streams": "v:0", "show_streams": ""})
	var p struct {
		Streams []map[string]any `json:"streams"`
	}
	if err != nil || json.Unmarshal(text, &p) != nil || len(p.Streams) == 0 {
		return nil // one frame may be too little to be read
	}
	for _, key := range slices.Sorted(maps.Keys(s.tags)) {
		if tag := s.tags[key]; knownTag(tag) && p.Streams[0][key] != tag {
			notes = append(notes, fmt.Sprintf("the tag %s=%s is not kept: %s in .%s has no room for it", key, tag, s.encoding.name, s.container))
		}
	}
	return notes
}

// WriteFrame encodes f; all frames have the first one's size and timebase.
func (s *FilmSink) WriteFrame(f *filter.Frame) error {
	if s.err != nil {
		return s.err
	}
	if s.p == nil {
		h := NUTHeader{Layout: s.film.layout, TimeBase: f.TimeBase}
		h.W, h.H, h.Format = f.W, f.H, s.film.written()
		if n, ok := f.Origin.(*Native); ok {
			h.SAR = n.SAR
		}
		s.first = seconds(f.PTS, f.TimeBase)
		stream, _ := s.encoder(h.W, h.H, false)
		p, err := start(s.ctx, stream, true)
		if err != nil {
			s.clean()
			s.err = fmt.Errorf("%s: %w", s.file.Path(), err)
			return s.err
		}
		s.p, s.w = p, NewNUTWriter(p.pipe, h)
	}
	err := s.writeSamples(f)
	if err == nil {
		s.written++
		return nil
	}
	if s.w.err != nil { // the encoder has gone: it says why
		if failure := s.p.finish(); failure != nil {
			err = fmt.Errorf("frame %d: %w", f.Index, failure)
		}
	} else {
		s.p.stop()
	}
	if s.ctx.Err() != nil {
		err = s.ctx.Err()
	}
	s.clean()
	s.err = fmt.Errorf("%s: %w", s.file.Path(), err)
	return s.err
}

// writeSamples gives a frame to the encoder, and to the store before.
func (s *FilmSink) writeSamples(f *filter.Frame) error {
	if s.store == nil {
		return s.w.WriteFrame(f)
	}
	var data []byte
	var err error
	if s.written < s.kept {
		data, err = s.store.Frame(s.written)
	} else if data, err = s.w.e.encode(f); err == nil {
		err = s.store.Append(data)
	}
	if err != nil {
		return err
	}
	return s.w.writeSamples(f, data)
}

// Encoded returns how many bytes the encoder has written so far.
func (s *FilmSink) Encoded() int64 {
	info, err := os.Stat(s.file.Partial)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Close finishes the file and gives it its name.
func (s *FilmSink) Close() error {
	if s.err != nil {
		return s.err
	}
	if s.p == nil {
		s.clean()
		s.err = fmt.Errorf("%s: no frame was written", s.file.Path())
		return s.err
	}
	err := s.w.Close()
	if failure := s.p.finish(); failure != nil {
		err = failure
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", s.file.Path(), err)
	} else {
		err = s.file.Commit()
	}
	s.clean()
	s.err = errors.Join(err, errors.New("video: FilmSink is closed"))
	return err
}

// Abort ends the encoder and removes the partial file.
func (s *FilmSink) Abort() {
	if s.p != nil && s.err == nil {
		s.p.stop()
	}
	if s.err == nil {
		s.clean()
		s.err = errors.New("video: FilmSink is closed")
	}
}

// clean removes what is not the result.
func (s *FilmSink) clean() {
	s.file.Abort()
	for _, c := range s.covers {
		os.Remove(c.path)
	}
}

// encoder is ffmpeg from NUT on a pipe, for frames of w×h, and the film to the
// partial file. Notes say what is not kept.
func (s *FilmSink) encoder(w, h int, rehearsal bool) (stream *ff.Stream, notes []string) {
	f := s.film
	painted := ff.Input("pipe:0", ff.KwArgs{"f": "nut", "copyts": "", "thread_queue_size": "64", "protocol_whitelist": "file,pipe"})
	maps := []*ff.Stream{painted.Get("v:0")}
	out := ff.KwArgs{
		"c": "copy", "fps_mode:v:0": "passthrough", "enc_time_base:v:0": f.timeBase,
	}
	if f.Path != "" { // it is in a file
		maps, notes = s.addOriginal(out, maps)
	}
	s.picture(out, h)
	if f.Rate.Num > 0 {
		out["r:v:0"] = fmt.Sprintf("%d/%d", f.Rate.Num, f.Rate.Den) // gives the last frame its duration
	}
	notes = append(notes, s.tagPicture(out)...)
	s.setContainer(out)
	s.tagRecipe(out)
	s.setTimes(out)
	if rehearsal {
		// Only the beginning of the original is read: -t is an output limit, which counts
		// from the clock's 0.
		out["t"] = fixed(f.from() - f.cutFrom() + 0.2)
		delete(out, "movflags")
	}
	return ff.Output(maps, "file:"+s.file.Partial, out).GlobalArgs("-hide_banner", "-nostdin", "-y", "-nostats", "-v", "error"), notes
}

// addOriginal adds what the result keeps of the film's file.
func (s *FilmSink) addOriginal(out ff.KwArgs, maps []*ff.Stream) (all []*ff.Stream, notes []string) {
	reading := ff.KwArgs{"thread_queue_size": "1024"}
	s.film.seek(reading)
	original := ff.Input("file:"+s.film.Path, guarded(reading))
	out["map_metadata"], out["map_chapters"] = "1", "1"
	streams, attachments, notes := s.mapStreams(out, original)
	maps = append(maps, streams...)
	if len(maps) == 1 {
		// ffmpeg-go drops an input that nothing is mapped from; metadata and chapters
		// need it. There is no such stream, and "?" allows that.
		maps = append(maps, original.Get("t:9999?"))
	}
	return s.addCovers(out, maps, attachments), notes
}

// mapStreams maps the streams beside the picture that the result keeps, and counts those
// that are attachments. notes say what it does not keep of them.
func (s *FilmSink) mapStreams(out ff.KwArgs, original *ff.Stream) (maps []*ff.Stream, attachments int, notes []string) {
	count := map[string]int{}
	for _, o := range s.film.others {
		codec, note := s.carry(o)
		if note != "" {
			notes = append(notes, note)
		}
		if codec == "" || codec == "cover" {
			continue
		}
		maps = append(maps, original.Get(strconv.Itoa(o.Index)))
		letter, n := o.Type[:1], count[o.Type]
		count[o.Type]++
		if language, ok := macLanguages[o.Tags["language"]]; ok && s.container == "mov" {
			out[fmt.Sprintf("metadata:s:%s:%d", letter, n)] = "language=" + language
		}
		if codec != "copy" {
			soundOptions(codec, fmt.Sprintf(":%s:%d", letter, n), out)
		}
	}
	return maps, count["attachment"], notes
}

// maxTags is how many bytes of tags go on ffmpeg's command line: Linux takes 128 KiB in one
// argument.
const maxTags = 100_000

// tagPicture keeps the picture's dispositions and its tags, but for those that would be
// false of the result.
func (s *FilmSink) tagPicture(out ff.KwArgs) (notes []string) {
	out["disposition:v:0"] = "0"
	var set []string
	for name, value := range s.film.video.Disposition {
		if value == 1 {
			set = append(set, name)
		}
	}
	if slices.Sort(set); len(set) > 0 {
		out["disposition:v:0"] = strings.Join(set, "+")
	}
	var tags []string
	length := 0
	for _, key := range slices.Sorted(maps.Keys(s.film.video.Tags)) {
		value := s.film.video.Tags[key]
		switch low := strings.ToLower(key); {
		case slices.Contains([]string{"encoder", "rotate", "duration", "alpha_mode", "vendor_id", "bps"}, low):
		case strings.HasPrefix(low, "_statistics"), strings.HasPrefix(low, "number_of_"):
		default:
			if language, ok := macLanguages[value]; ok && low == "language" && s.container == "mov" {
				value = language
			}
			if length+len(key)+len(value) > maxTags {
				notes = append(notes, fmt.Sprintf("the picture's tag %.50q of %d bytes is not kept: it is too long", key, len(value)))
				continue
			}
			length += len(key) + len(value)
			tags = append(tags, key+"="+value)
		}
	}
	if strings.HasPrefix(s.encoding.name, "libvpx") && s.encoding.format.Alpha {
		tags = append(tags, "alpha_mode=1")
	}
	if slices.Sort(tags); len(tags) > 0 {
		out["metadata:s:v:0"] = tags
	}
	return notes
}

func (s *FilmSink) setContainer(out ff.KwArgs) {
	switch s.container {
	case "mp4", "m4v", "mov":
		out["movflags"] = "+faststart"
		for key := range s.film.tags {
			if strings.HasPrefix(key, "com.") { // as telephones tag; only so are they kept
				out["movflags"] = "+faststart+use_metadata_tags"
			}
		}
		out["movie_timescale"] = "90000" // of edit lists, which say when a stream begins; 1000 moves it
		// A timebase of milliseconds is a container's habit; the muxer finds better.
		if n, err := strconv.Atoi(strings.TrimPrefix(s.film.video.TimeBase, "1/")); err == nil && n > 1000 {
			out["video_track_timescale"] = strconv.Itoa(n)
		}
	}
}

// tagRecipe puts Film.Recipe where the container keeps it, in the place of that of the film
// itself. A player should still find the film's own tags, so that QuickTime's kind of them
// (use_metadata_tags) is not chosen for its sake.
func (s *FilmSink) tagRecipe(out ff.KwArgs) {
	recipe := s.film.Recipe
	if len(recipe) > maxTags/4 {
		recipe = ""
	}
	tags := []string{recipeTag + "=" + recipe} // without a value it is removed
	flags, _ := out["movflags"].(string)
	switch own := strings.Contains(flags, "use_metadata_tags"); {
	case recipe == "" || own:
	case s.container == "mov":
		tags = append(tags, "xmp="+recipe)
	case s.container == "mp4" || s.container == "m4v":
		tags = append(tags, "encoding_tool=nstfilter "+recipe) // of the few tags that it has, the one for this
	}
	out["metadata"] = tags
}

// recipeTag is the tag of containers that have tags of any name.
const recipeTag = "nstfilter"

// setTimes cuts out --start and --duration, or lets the result begin when the film does:
// a transport stream's clock begins anywhere; other containers begin at 0.
func (s *FilmSink) setTimes(out ff.KwArgs) {
	f := s.film
	switch o := &f.options; {
	case o.Start == 0 && o.Duration > 0 && f.Begin == 0:
		out["t"] = o.Duration.String() // and no beginning, which would drop the sound's run-in before 0
	case o.Start > 0 || o.Duration > 0:
		// As an output option it cuts at the film's own times, and takes them off.
		out["ss"] = fixed(f.from())
		if o.Duration > 0 {
			out["t"] = o.Duration.String()
		}
	case f.broadcast() && slices.Contains([]string{"ts", "m2ts", "mts"}, s.container):
		out["mpegts_copyts"] = "1"
	case f.broadcast() && f.Begin != 0 && !slices.Contains([]string{"mpg", "mpeg", "vob"}, s.container):
		out["output_ts_offset"] = fixed(-f.Begin)
	}
}

// macLanguages are names that QuickTime has under the other of ISO 639-2's two codes.
var macLanguages = map[string]string{
	"deu": "ger", "nld": "dut", "isl": "ice", "ell": "gre", "zho": "chi", "ces": "cze", "ron": "rum", "slk": "slo", "sqi": "alb", "hye": "arm",
	"eus": "baq", "mya": "bur", "kat": "geo", "mkd": "mac", "mri": "mao", "msa": "may", "fas": "per", "bod": "tib", "cym": "wel",
}

// fixed is a time as ffmpeg counts them, to microseconds and without an exponent.
func fixed(v float64) string { return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64) }

// picture adds the options of the painted stream, for frames of h rows.
func (s *FilmSink) picture(out ff.KwArgs, h int) {
	f, v, e := s.film, &s.film.video, &s.encoding
	from, to, full := f.written(), e.format, f.layout.Full
	space := v.Space
	// NUT carries no colour, so the frames are tagged anew.
	params := "setparams=range=" + rangeName(full)
	matrix := map[Matrix]string{BT601: "smpte170m", BT709: "bt709", BT2020: "bt2020nc"}[f.layout.Matrix]
	if (f.options.Colorspace != "auto" || f.Format.Sampling == Mono) && from.Sampling < Mono {
		space = matrix // what the frames were read by, or got their colours by
	}
	if from.Sampling != RGB && knownTag(space) && space != "gbr" {
		params += ":colorspace=" + space
	}
	filters := []string{params}
	for _, o := range e.options {
		out[o.Key+":v:0"] = o.Value
	}
	if e.name == "" { // ffmpeg knows what suits the container
		delete(out, "c")
		out["c:a"], out["c:s"], out["filter:v:0"] = "copy", "copy", params
		return
	}
	out["c:v:0"] = e.name
	if s.countsFrames() {
		filters = append(filters, s.countFrames(out)...)
	}
	switch e.name {
	case "gif":
		// A palette for each frame: one for all would hold the whole film in memory.
		out["filter:v:0"] = params + ",split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"
		return
	case "apng":
		out["plays"] = "0" // for ever, as GIF is
	case "libx265":
		if slices.Contains([]string{"mp4", "m4v", "mov"}, s.container) {
			out["tag:v:0"] = "hvc1" // or Apple's players refuse it
		}
	}
	switch {
	case from.Sampling == RGB && to.Sampling < Mono:
		full = false
		matrix = map[Matrix]string{BT601: "smpte170m", BT709: "bt709"}[guessMatrix(h)]
		space = matrix
		filters = append(filters, "scale=out_color_matrix="+matrix+":out_range=tv:flags=accurate_rnd+full_chroma_int", "setparams=colorspace="+matrix)
	case from.Sampling == RGB, from.Sampling == Mono: // swscale takes gray for full range, whatever its tag
	case to.Sampling == RGB:
		filters = append(filters, fmt.Sprintf("scale=in_color_matrix=%s:in_range=%s:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp", matrixForScale(matrix), rangeName(full)))
		full = true
	case to.Sampling != from.Sampling || to.Depth != from.Depth:
		filters = append(filters, fmt.Sprintf("scale=in_color_matrix=%s:out_color_matrix=%s:in_range=%s:out_range=%s:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp",
			matrixForScale(matrix), matrixForScale(matrix), rangeName(full), rangeName(full)))
	}
	if e.target != "" {
		filters = append(filters, "format="+e.target)
		out["pix_fmt:v:0"] = e.target
	}
	out["filter:v:0"] = strings.Join(filters, ",")
	s.tagColour(out, space, full)
}

// countFrames has frames counted from the first one, whose time is put back behind the
// encoder. It returns the filters that do so.
func (s *FilmSink) countFrames(out ff.KwArgs) (filters []string) {
	if !slices.Contains([]string{"avi", "ogv"}, s.container) {
		cut := s.film.cutFrom()
		filters = []string{"setpts=PTS-STARTPTS+round(" + fixed(cut) + "/TB)"}
		out["bsf:v:0"] = fmt.Sprintf("setts=time_base=1/90000:pts=PTS+%d:dts=DTS+%[1]d", int64(math.Round((s.first-cut)*90000)))
	}
	out["fps_mode:v:0"] = "vfr"
	delete(out, "enc_time_base:v:0")
	return filters
}

// tagColour has ffmpeg tag the painted stream with its colour.
func (s *FilmSink) tagColour(out ff.KwArgs, space string, full bool) {
	f, v := s.film, &s.film.video
	out["color_range:v:0"] = rangeName(full)
	transfer := v.Transfer
	if named := map[Transfer]string{PQ: "smpte2084", HLG: "arib-std-b67"}[f.layout.Transfer]; named != "" {
		transfer = named // as the frames were read
	}
	if space == "gbr" {
		space = "" // the film's YUV is tagged wrongly
	}
	s.tags = map[string]string{"color_primaries": v.Primaries, "color_transfer": transfer}
	if s.encoding.format.Sampling < Mono {
		s.tags["color_space"] = space
		if knownTag(v.Location) {
			out["chroma_sample_location:v:0"] = v.Location
		}
	}
	for key, tag := range s.tags {
		if name, ok := transferOptions[tag]; ok && key == "color_transfer" {
			tag = name
		}
		if knownTag(tag) {
			out[tagOptions[key]+":v:0"] = tag
		}
	}
}

// tagOptions are the encoder's options for what ffprobe calls so.
var tagOptions = map[string]string{"color_primaries": "color_primaries", "color_transfer": "color_trc", "color_space": "colorspace"}

// transferOptions are the values of -color_trc that have another name than ffprobe's.
var transferOptions = map[string]string{"bt470m": "gamma22", "bt470bg": "gamma28"}

// knownTag reports whether ffprobe's word for a tag says something.
func knownTag(tag string) bool {
	return tag != "" && tag != "unknown" && tag != "unspecified" && tag != "reserved"
}

// countsFrames reports whether the encoder's clock ticks once a frame: MPEG-1 and 2
// have a few rates alone, Theora has one, MPEG-4 no finer clock than 1/65535 s.
func (s *FilmSink) countsFrames() bool {
	base, err := parseRatio(strings.ReplaceAll(s.film.video.TimeBase, "/", ":"))
	switch s.encoding.name {
	case "mpeg1video", "mpeg2video", "libtheora":
		return true
	case "mpeg4":
		return err != nil || base.Den > 65535
	}
	return false
}

// rangeName is ffmpeg's word for a range of samples.
func rangeName(full bool) string {
	if full {
		return "pc"
	}
	return "tv"
}

// matrixForScale is the scale filter's name of a matrix.
func matrixForScale(matrix string) string {
	if matrix == "bt2020nc" {
		return "bt2020"
	}
	return matrix
}

// Rename changes the result's final name, before Close; its folder and extension stay what
// they were.
func (s *FilmSink) Rename(out string, mode outfile.Mode) {
	s.file.Rename(out, mode)
}
