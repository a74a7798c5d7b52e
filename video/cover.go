package video

import (
	"fmt"
	"os"

	ff "github.com/u2takey/ffmpeg-go"
)

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
		c.path = fmt.Sprintf("%s.cover%d", s.partial, o.Index)
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
