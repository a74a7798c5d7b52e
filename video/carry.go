package video

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	ff "github.com/u2takey/ffmpeg-go"
)

// soundHeard are the codecs of sound that players find in a container. ffmpeg puts others
// into it too, which nobody hears. Other containers take what ffmpeg puts into them.
var soundHeard = map[string][]string{
	"webm": {"opus", "vorbis"},
	"mp4":  {"aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus", "flac", "dts", "vorbis"},
	"ts":   {"aac", "aac_latm", "mp1", "mp2", "mp3", "ac3", "eac3", "dts", "truehd", "opus", "s302m"},
	"mpg":  {"mp1", "mp2", "mp3", "ac3", "dts", "pcm_dvd", "pcm_s16be"},
}

// soundInstead is what other sound becomes; where there is none, PCM.
var soundInstead = map[string]string{"webm": "libopus", "mp4": "aac", "flv": "aac", "ts": "aac", "mpg": "ac3", "mkv": "flac", "ogv": "flac"}

var soundNames = map[string]string{"libopus": "Opus", "aac": "AAC", "ac3": "AC-3", "flac": "FLAC"}

// family is a container by the name that it has in the tables here.
func family(container string) string {
	switch container {
	case "m4v":
		return "mp4"
	case "m2ts", "mts":
		return "ts"
	case "mpeg", "vob":
		return "mpg"
	}
	return container
}

// carry says how a stream beside the picture gets into the container: copy, an
// encoder, cover, or "" to leave it out.
func (s *FilmSink) carry(o probedStream) (codec, note string) {
	mov := s.container == "mp4" || s.container == "m4v" || s.container == "mov"
	free := s.container == "mkv" || !mov && s.container != "webm" && s.container != "gif"
	left := fmt.Sprintf("%s stream %d (%s) is left out: %s does not take it", o.Type, o.Index, o.Codec, s.container)
	switch o.Type {
	case "audio":
		switch heard := soundHeard[family(s.container)]; {
		case s.film.options.NoAudio:
			return "", ""
		case s.container == "gif", s.container == "apng":
			return "", left
		case s.refused[o.Index] > 0, heard != nil && !slices.Contains(heard, o.Codec):
			return s.convertSound(o)
		}
		return "copy", ""
	case "subtitle":
		text := slices.Contains([]string{"subrip", "ass", "ssa", "webvtt", "mov_text", "text"}, o.Codec)
		switch {
		case s.refused[o.Index] > 0, family(s.container) == "ts" && !slices.Contains([]string{"dvb_subtitle", "dvb_teletext", "hdmv_pgs_subtitle"}, o.Codec):
			return "", left
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
		if _, ok := coverKinds[o.Codec]; ok && o.isCover() && (mov || s.container == "mkv") {
			return "cover", ""
		}
		return "", fmt.Sprintf("video stream %d (%s) is left out", o.Index, o.Codec)
	case "data":
		switch {
		case o.Tag == "tmcd": // a tag of the picture says it too
			return "", ""
		case o.Tag == "gpmd" && mov, family(s.container) == "ts" && slices.Contains([]string{"klv", "timed_id3"}, o.Codec):
			return "copy", ""
		}
	}
	return "", fmt.Sprintf("%s stream %d (%s) is left out", o.Type, o.Index, cmp.Or(o.Codec, o.Tag))
}

// lostSideData are notes on what a player is told of the picture and the result does not say.
func (s *FilmSink) lostSideData() (notes []string) {
	for _, d := range s.film.video.SideData {
		switch {
		case d.Type == "Spherical Mapping":
			notes = append(notes, "that the picture is spherical is not kept: players will show it flat; Google's spatial-media, for one, says it again")
		case d.Type == "Stereo 3D" && (s.film.video.Tags["stereo_mode"] == "" || s.container != "mkv" && s.container != "webm"):
			notes = append(notes, "that the picture is stereo is not kept, or how its two views lie: players will show both at once")
		}
	}
	return notes
}

// convertSound chooses what sound becomes that the container does not take.
func (s *FilmSink) convertSound(o probedStream) (codec, note string) {
	codec, known := soundInstead[family(s.container)]
	if !known {
		codec = "pcm_s16le"
		if strings.HasPrefix(o.SampleFmt, "s32") {
			codec = "pcm_s24le"
			if bits, err := strconv.Atoi(o.SampleBits); err != nil || bits > 24 {
				codec = "pcm_s32le"
			}
		}
	}
	name, loss := soundNames[codec], ""
	if name == "" {
		name = "PCM"
	}
	if codec == "flac" || name == "PCM" {
		loss = " without loss"
	}
	return codec, fmt.Sprintf("sound stream %d (%s) becomes %s%s, as %s needs", o.Index, o.Codec, name, loss, s.container)
}

// soundOptions adds the options of a stream's codec. at says which stream: ":a:0".
func soundOptions(codec, at string, out ff.KwArgs) ff.KwArgs {
	out["c"+at] = codec
	if codec == "libopus" { // it takes no channels at the sides
		out["filter"+at] = "aformat=channel_layouts=7.1|6.1|5.1|5.0|quad|3.0|stereo|mono"
	}
	return out
}

// rehearseAll rehearses until the container takes every stream that is to be carried.
func (s *FilmSink) rehearseAll() error {
	s.refused = map[int]int{}
	err := s.rehearse()
	for err != nil && s.ctx.Err() == nil {
		more, cause := s.findRefused()
		if cause != nil {
			return cause
		}
		if !more {
			break
		}
		err = s.rehearse()
	}
	return err
}

// findRefused tries each stream beside the picture alone, and reports whether the container
// did not take one in the form that it was to have. The error is of sound that cannot be
// carried in any.
func (s *FilmSink) findRefused() (more bool, err error) {
	defer os.Truncate(s.file.Partial, 0)
	for _, o := range s.film.others {
		codec, _ := s.carry(o)
		if codec == "" || codec == "cover" {
			continue
		}
		reading := ff.KwArgs{}
		s.film.seek(reading)
		in := ff.Input("file:"+s.film.Path, guarded(reading))
		stream := ff.Output([]*ff.Stream{in.Get(strconv.Itoa(o.Index))}, "file:"+s.file.Partial, soundOptions(codec, "", ff.KwArgs{"t": "0.2"})).
			GlobalArgs("-hide_banner", "-nostdin", "-y", "-v", "error")
		_, failed := ask(s.ctx, "ffmpeg", stream.GetArgs()...)
		if s.ctx.Err() != nil {
			return false, s.ctx.Err()
		}
		if failed == nil {
			continue
		}
		if s.refused[o.Index]++; o.Type == "audio" && codec != "copy" {
			return false, fmt.Errorf("sound stream %d (%s) can be neither kept nor converted: --no-audio leaves the sound out (%w)", o.Index, o.Codec, failed)
		}
		more = true
	}
	return more, nil
}

// cover is a picture that goes along with the film, as a file of its own: Matroska
// attaches files alone, and in the other containers' streams a cover has no time,
// by which it would get lost where the film is cut.
type cover struct {
	path, name, mime string
	demuxer          string
}

// coverKinds are covers' codecs, with name, type and ffmpeg's demuxer.
var coverKinds = map[string]cover{
	"mjpeg": {name: "cover.jpg", mime: "image/jpeg", demuxer: "jpeg_pipe"},
	"png":   {name: "cover.png", mime: "image/png", demuxer: "png_pipe"},
	"bmp":   {name: "cover.bmp", mime: "image/bmp", demuxer: "bmp_pipe"},
}

// extractCovers writes the covers that are carried beside the partial file.
func (s *FilmSink) extractCovers() error {
	for _, o := range s.film.others {
		if codec, _ := s.carry(o); codec != "cover" {
			continue
		}
		c := coverKinds[o.Codec]
		if name := o.Tags["filename"]; name != "" {
			c.name = name
		}
		c.path = fmt.Sprintf("%s.cover%d", s.file.Partial, o.Index)
		s.covers = append(s.covers, c)
		in := ff.Input("file:"+s.film.Path, guarded(nil))
		stream := ff.Output([]*ff.Stream{in.Get(fmt.Sprint(o.Index))}, "file:"+c.path, ff.KwArgs{"c": "copy", "f": "data", "frames:v": "1"}).
			GlobalArgs("-hide_banner", "-nostdin", "-y", "-v", "error")
		if _, err := ask(s.ctx, "ffmpeg", stream.GetArgs()...); err != nil {
			return fmt.Errorf("cover (stream %d): %w", o.Index, err)
		}
		if info, err := os.Stat(c.path); err != nil || info.Size() == 0 {
			return fmt.Errorf("cover (stream %d): nothing was read", o.Index)
		}
	}
	return nil
}

// addCovers puts the covers into the result: among its streams, of which maps are
// the others, or attached as its files from number files on.
func (s *FilmSink) addCovers(out ff.KwArgs, maps []*ff.Stream, files int) []*ff.Stream {
	var attached []string
	for i, c := range s.covers {
		if s.container == "mkv" {
			attached = append(attached, "file:"+c.path)
			out[fmt.Sprintf("metadata:s:t:%d", files+i)] = []string{"mimetype=" + c.mime, "filename=" + c.name}
			continue
		}
		in := ff.Input("file:"+c.path, ff.KwArgs{"f": c.demuxer, "protocol_whitelist": "file", "itsoffset": fixed(s.film.cutFrom())})
		maps = append(maps, in.Get("v:0"))
		out[fmt.Sprintf("disposition:v:%d", i+1)] = "attached_pic"
	}
	if len(attached) > 0 {
		out["attach"] = attached
	}
	return maps
}
