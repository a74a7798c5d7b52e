package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	ff "github.com/u2takey/ffmpeg-go"

	"nstfilter/filter"
)

// FilmSink encodes frames to a file, with all that the film has beside its picture:
// sound, subtitles, attachments, chapters, metadata. It is a pipeline.Sink.
type FilmSink struct {
	ctx       context.Context
	film      *Film
	out       string // final name
	partial   string
	container string // the name's extension, in small letters

	p   *process // from the first frame on
	w   *NUTWriter
	err error // that ended it; the process is gone and the partial file too
}

// CreateFilm prepares to write film, repainted, to out, whose extension chooses
// container and encoder: H.264 for mp4, m4v, mov and mkv, VP9 for webm, GIF, else
// ffmpeg's choice. It rehearses with one black frame, so that what ffmpeg refuses
// is an error before the first painted frame. The file is .NAME.partial.EXT until
// Close. Cancelling ctx kills the encoder: leave it alone to keep what is done.
func CreateFilm(ctx context.Context, film *Film, out string, o Options) (*FilmSink, error) {
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
	s := &FilmSink{
		ctx: ctx, film: film, out: out,
		partial:   filepath.Join(filepath.Dir(out), "."+base+".partial"+extension),
		container: strings.ToLower(extension[1:]),
	}
	if err := s.rehearse(); err != nil {
		return nil, fmt.Errorf("%s: %w", out, err)
	}
	_, notes := s.encoder(film.W, film.H, false)
	film.Notes = append(film.Notes, notes...)
	return s, nil
}

// rehearse encodes one black frame to the partial file and removes it.
func (s *FilmSink) rehearse() error {
	defer os.Remove(s.partial)
	h := NUTHeader{Layout: s.film.layout, TimeBase: filter.Rational{Num: 1, Den: 25}}
	h.W, h.H = s.film.W, s.film.H
	stream, _ := s.encoder(h.W, h.H, true)
	p, err := start(s.ctx, stream, true)
	if err != nil {
		return err
	}
	w := NewNUTWriter(p.pipe, h)
	f := filter.NewFrame(h.W, h.H)
	f.TimeBase = h.TimeBase
	f.PTS = max(0, int64(s.film.Begin*25))
	werr := w.WriteFrame(f)
	if err := p.finish(); err != nil {
		return err
	}
	return werr
}

// WriteFrame encodes f; all frames have the first one's size and timebase.
func (s *FilmSink) WriteFrame(f *filter.Frame) error {
	if s.err != nil {
		return s.err
	}
	if s.p == nil {
		h := NUTHeader{Layout: s.film.layout, TimeBase: f.TimeBase}
		h.W, h.H = f.W, f.H
		if n, ok := f.Origin.(*Native); ok {
			h.SAR = n.SAR
		}
		stream, _ := s.encoder(h.W, h.H, false)
		p, err := start(s.ctx, stream, true)
		if err != nil {
			s.err = fmt.Errorf("%s: %w", s.out, err)
			return s.err
		}
		s.p, s.w = p, NewNUTWriter(p.pipe, h)
	}
	err := s.w.WriteFrame(f)
	if err == nil {
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
	os.Remove(s.partial)
	s.err = fmt.Errorf("%s: %w", s.out, err)
	return s.err
}

// Close finishes the file and gives it its name.
func (s *FilmSink) Close() error {
	if s.err != nil {
		return s.err
	}
	if s.p == nil {
		s.err = fmt.Errorf("%s: no frame was written", s.out)
		return s.err
	}
	err := s.w.Close()
	if failure := s.p.finish(); failure != nil {
		err = failure
	}
	if err == nil {
		err = os.Rename(s.partial, s.out)
	}
	if err != nil {
		os.Remove(s.partial)
		s.err = fmt.Errorf("%s: %w", s.out, err)
		return s.err
	}
	s.err = errors.New("video: FilmSink is closed")
	return nil
}

// Abort ends the encoder and removes the partial file.
func (s *FilmSink) Abort() {
	if s.p != nil && s.err == nil {
		s.p.stop()
		os.Remove(s.partial)
	}
	if s.err == nil {
		s.err = errors.New("video: FilmSink is closed")
	}
}

// encoder is ffmpeg from NUT on a pipe, for frames of w×h, and the film to the
// partial file. Notes say what is not kept.
func (s *FilmSink) encoder(w, h int, rehearsal bool) (stream *ff.Stream, notes []string) {
	f, v := s.film, &s.film.video
	painted := ff.Input("pipe:0", ff.KwArgs{"f": "nut", "copyts": "", "thread_queue_size": "64", "protocol_whitelist": "file,pipe"})
	original := ff.Input("file:"+f.Path, guarded(ff.KwArgs{"thread_queue_size": "1024"}))
	maps := []*ff.Stream{painted.Get("v:0")}
	out := ff.KwArgs{
		"map_metadata": "1", "map_chapters": "1", "c": "copy",
		"fps_mode:v:0": "passthrough", "enc_time_base:v:0": f.timeBase,
	}
	count := map[string]int{"video": 1}
	for _, o := range f.others {
		codec, note := s.carry(o)
		if note != "" {
			notes = append(notes, note)
		}
		if codec == "" {
			continue
		}
		maps = append(maps, original.Get(strconv.Itoa(o.Index)))
		letter, n := o.Type[:1], count[o.Type]
		count[o.Type]++
		if codec != "copy" {
			out[fmt.Sprintf("c:%s:%d", letter, n)] = codec
		}
		if o.Type == "video" {
			out[fmt.Sprintf("disposition:v:%d", n)] = "attached_pic"
		}
	}
	if len(maps) == 1 {
		// ffmpeg-go drops an input that nothing is mapped from; metadata and chapters
		// need it. There is no such stream, and "?" allows that.
		maps = append(maps, original.Get("t:9999?"))
	}
	notes = append(notes, s.picture(out, w, h)...)
	if f.Rate.Num > 0 {
		out["r:v:0"] = fmt.Sprintf("%d/%d", f.Rate.Num, f.Rate.Den) // gives the last frame its duration
	}
	var tags []string
	for key, value := range v.Tags {
		switch key {
		case "encoder", "rotate", "DURATION", "alpha_mode", "vendor_id", "BPS", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES":
		default:
			if !strings.HasPrefix(key, "_STATISTICS") && !strings.HasPrefix(key, "NUMBER_OF_") {
				tags = append(tags, key+"="+value)
			}
		}
	}
	if slices.Sort(tags); len(tags) > 0 {
		out["metadata:s:v:0"] = tags
	}
	switch s.container {
	case "mp4", "m4v", "mov":
		out["movflags"] = "+faststart"
		out["movie_timescale"] = "90000" // of edit lists, which say when a stream begins; 1000 moves it
		// A timebase of milliseconds is a container's habit; the muxer finds better.
		if n, err := strconv.Atoi(strings.TrimPrefix(v.TimeBase, "1/")); err == nil && n > 1000 {
			out["video_track_timescale"] = strconv.Itoa(n)
		}
	}
	// A transport stream's clock begins anywhere; other containers begin at 0.
	if f.Begin != 0 && (f.format == "mpegts" || f.format == "mpeg") && !slices.Contains([]string{"ts", "m2ts", "mts", "mpg", "vob"}, s.container) {
		out["output_ts_offset"] = strconv.FormatFloat(-f.Begin, 'f', -1, 64)
	}
	if rehearsal {
		// Only the beginning of the original is read: -t is an output limit.
		out["t"] = "0.2"
		delete(out, "movflags")
	}
	return ff.Output(maps, "file:"+s.partial, out).GlobalArgs("-hide_banner", "-nostdin", "-y", "-nostats", "-v", "error"), notes
}

// picture adds the options of the painted stream.
func (s *FilmSink) picture(out ff.KwArgs, w, h int) (notes []string) {
	f, v := s.film, &s.film.video
	known := func(tag string) bool {
		return tag != "" && tag != "unknown" && tag != "unspecified" && tag != "reserved"
	}
	p := f.Format
	space, primaries, transfer := v.Space, v.Primaries, v.Transfer
	var filters []string
	// NUT carries no colour, so the frames are tagged anew.
	params := []string{"range=tv"}
	if f.layout.Full {
		params[0] = "range=pc"
	}
	matrix := map[Matrix]string{BT601: "smpte170m", BT709: "bt709", BT2020: "bt2020nc"}[f.layout.Matrix]
	if f.options.Colorspace != "auto" && p.Sampling < Mono {
		space = matrix // what the frames were read by
	}
	if p.Sampling != RGB && known(space) && space != "gbr" {
		params = append(params, "colorspace="+space)
	}
	filters = append(filters, "setparams="+strings.Join(params, ":"))
	full := f.layout.Full

	to := p
	switch s.container {
	case "mp4", "m4v", "mov", "mkv":
		out["c:v:0"], out["crf:v:0"] = "libx264", "17"
		if to.Depth > 10 {
			notes = append(notes, fmt.Sprintf("%d bits per sample become 10, the most that H.264 takes", to.Depth))
		}
		to.Depth = min(10, (to.Depth+1)/2*2)
		odd := to.Sampling == S420 && (w%2 == 1 || h%2 == 1) || to.Sampling == S422 && w%2 == 1
		if odd {
			notes = append(notes, fmt.Sprintf("H.264 takes no odd size (%d×%d) at 4:2:0: the result is 4:4:4, which not every player shows", w, h))
			to.Sampling = S444
		}
		if to.Sampling == RGB {
			notes = append(notes, "RGB becomes YUV 4:4:4, which not every player shows")
		}
	case "webm":
		out["c:v:0"], out["crf:v:0"], out["b:v:0"], out["row-mt:v:0"] = "libvpx-vp9", "24", "0", "1"
		if to.Depth > 12 {
			notes = append(notes, fmt.Sprintf("%d bits per sample become 12, the most that VP9 takes", to.Depth))
		}
		to.Depth = min(12, (to.Depth+1)/2*2)
		if to.Sampling == Mono {
			to.Sampling = S420
		}
	case "gif":
		out["c:v:0"] = "gif"
		// A palette for each frame: one for all would hold the whole film in memory.
		out["vf"] = strings.Join(filters, ",") + ",split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"
		return notes
	default:
		delete(out, "c")
		out["c:a"], out["c:s"] = "copy", "copy"
		out["vf"] = strings.Join(filters, ",")
		return notes
	}
	if to.Sampling == RGB {
		to.Sampling, full = S444, false
		matrix = map[bool]string{true: "bt709", false: "smpte170m"}[h >= 720]
		space = matrix
		filters = append(filters, "scale=out_color_matrix="+matrix+":out_range=tv:flags=accurate_rnd+full_chroma_int", "format="+to.String())
	} else if p.Sampling == Mono {
		if to.Sampling != Mono { // swscale takes gray for full range, whatever its tag
			filters = append(filters, "format="+to.String())
		}
	} else if to.Sampling != p.Sampling || to.Depth != p.Depth {
		r := map[bool]string{true: "pc", false: "tv"}[full]
		filters = append(filters, fmt.Sprintf("scale=in_color_matrix=%s:out_color_matrix=%s:in_range=%s:out_range=%s:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp", matrixForScale(matrix), matrixForScale(matrix), r, r), "format="+to.String())
	}
	out["vf"] = strings.Join(filters, ",")
	out["pix_fmt:v:0"] = to.String()
	if out["color_range:v:0"] = "tv"; full {
		out["color_range:v:0"] = "pc"
	}
	for key, tag := range map[string]string{"colorspace:v:0": space, "color_primaries:v:0": primaries, "color_trc:v:0": transfer, "chroma_sample_location:v:0": v.Location} {
		if known(tag) && tag != "gbr" {
			out[key] = tag
		}
	}
	return notes
}

// matrixForScale is the scale filter's name of a matrix.
func matrixForScale(matrix string) string {
	if matrix == "bt2020nc" {
		return "bt2020"
	}
	return matrix
}

// carry says how a stream beside the picture gets into the container: copy, an
// encoder, or "" to leave it out.
func (s *FilmSink) carry(o probedStream) (codec, note string) {
	mov := s.container == "mp4" || s.container == "m4v" || s.container == "mov"
	free := s.container == "mkv" || !mov && s.container != "webm" && s.container != "gif"
	left := fmt.Sprintf("%s stream %d (%s) is left out: %s does not take it", o.Type, o.Index, o.Codec, s.container)
	switch o.Type {
	case "audio":
		switch {
		case s.film.options.NoAudio:
			return "", ""
		case s.container == "gif":
			return "", left
		case s.container == "webm" && o.Codec != "opus" && o.Codec != "vorbis":
			return "libopus", fmt.Sprintf("sound stream %d (%s) becomes Opus, as %s needs", o.Index, o.Codec, s.container)
		case (s.container == "mp4" || s.container == "m4v") && !slices.Contains([]string{"aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus", "flac", "dts", "vorbis"}, o.Codec):
			return "aac", fmt.Sprintf("sound stream %d (%s) becomes AAC, as %s needs", o.Index, o.Codec, s.container)
		}
		return "copy", ""
	case "subtitle":
		text := slices.Contains([]string{"subrip", "ass", "ssa", "webvtt", "mov_text", "text"}, o.Codec)
		switch {
		case mov && text:
			return "mov_text", ""
		case s.container == "webm" && text:
			return "webvtt", ""
		case s.container == "mkv" && o.Codec == "mov_text":
			return "subrip", ""
		case free:
			return "copy", ""
		}
		return "", left
	case "attachment":
		if s.container == "mkv" {
			return "copy", ""
		}
		return "", left
	case "video":
		if o.Disposition.Picture == 1 && (mov || s.container == "mkv") {
			return "copy", ""
		}
		return "", fmt.Sprintf("video stream %d (%s) is left out", o.Index, o.Codec)
	}
	return "", ""
}
