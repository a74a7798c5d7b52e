package video

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os/exec"
	"slices"
	"strings"

	ff "github.com/u2takey/ffmpeg-go"

	"nstfilter/filter"
)

// Frames decodes the film, in order of presentation, with its own times. When the
// loop is left, or ctx is cancelled, ffmpeg ends too. Of a damaged film, or one cut
// short, come the frames that ffmpeg can decode, and Damage says so afterwards.
func (f *Film) Frames(ctx context.Context) iter.Seq2[*filter.Frame, error] {
	return func(yield func(*filter.Frame, error) bool) {
		p, err := start(ctx, f.decoder(), false)
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", f.Path, err))
			return
		}
		defer p.stop()
		index := 0
		fail := func(err error) {
			p.stop()
			if ctx.Err() != nil {
				err = ctx.Err()
			} else if failure := p.failure(); failure != nil {
				err = failure // it says more than the end of the pipe
				if f.options.HWAccel != "" {
					err = fmt.Errorf("%w; without --hwaccel the processor decodes", err)
				}
			}
			yield(nil, fmt.Errorf("%s: frame %d: %w", f.Path, index, err))
		}
		r, err := NewNUTReader(p.pipe)
		if err != nil {
			fail(err)
			return
		}
		if !f.scaled && (r.h.W != f.W || r.h.H != f.H) {
			p.stop()
			f.scaled = true
			f.Frames(ctx)(yield)
			return
		}
		l := f.layout
		l.W, l.H, l.SAR = r.h.W, r.h.H, r.h.SAR
		if r.h.Format != l.Format {
			fail(fmt.Errorf("ffmpeg gave %v where %v was asked for", r.h.Format, l.Format))
			return
		}
		r.h.Layout = l
		for frame, err := range r.Frames(ctx) {
			if err != nil {
				if inner := errors.Unwrap(err); inner != nil {
					err = inner // else the frame would be named twice
				}
				fail(err)
				return
			}
			if f.options.Start > 0 && seconds(frame.PTS, frame.TimeBase) < f.from()-1e-6 {
				continue
			}
			if f.options.Duration > 0 && seconds(frame.PTS, frame.TimeBase) >= f.from()+f.options.Duration.Seconds()-1e-6 {
				if index == 0 {
					yield(nil, fmt.Errorf("%s: --duration ends before the first frame, which comes at %.3f s of the film", f.Path, seconds(frame.PTS, frame.TimeBase)-f.Begin))
					return
				}
				f.judge(&p.stderr, nil, index)
				return
			}
			if !yield(frame, nil) {
				return
			}
			index++
		}
		if err := p.finish(); err != nil && (index == 0 || !p.gaveUp()) {
			fail(err)
		} else if words := p.stderr.String(); index == 0 && words != "" {
			yield(nil, fmt.Errorf("%s: %w (ffmpeg: %s)", f.Path, errNothing, words))
		} else if index == 0 {
			yield(nil, fmt.Errorf("%s: %w", f.Path, errNothing))
		} else {
			f.judge(&p.stderr, err, index)
		}
	}
}

var errNothing = errors.New("no frame could be decoded; if --start or --duration is given, the film may have none there")

// from returns the time at which the result begins, in seconds of the container's clock.
func (f *Film) from() float64 { return f.Begin + f.options.Start.Seconds() }

// cutFrom returns the time that becomes 0 in the result if the film is cut, else 0.
func (f *Film) cutFrom() float64 {
	if f.options.Start > 0 || f.options.Duration > 0 {
		return f.from()
	}
	return 0
}

// broadcastLead is longer than the time between two key frames of a broadcast, in seconds.
// ffmpeg does not know where they are.
const broadcastLead = 12

// seek adds to the options of an input that it begins at --start or somewhat before. The
// caller drops what comes before --start.
func (f *Film) seek(reading ff.KwArgs) {
	if f.options.Start == 0 {
		return
	}
	start := f.from() - f.clock // ffmpeg counts from the first packet
	if f.broadcast() {
		start -= broadcastLead
	}
	if start > 0 {
		reading["ss"] = fixed(start)
	}
}

// edited reports a container whose edit list says what of it is shown, from 0 on: ffmpeg
// drops what is before, except from decoders that forget the mark (libdav1d).
func (f *Film) edited() bool { return strings.Contains(f.format, "mov") }

// broadcast reports whether the film is in a container whose clock may begin at any time.
func (f *Film) broadcast() bool { return f.format == "mpegts" || f.format == "mpeg" }

func seconds(pts int64, base filter.Rational) float64 {
	return float64(pts) * float64(base.Num) / float64(base.Den)
}

// decoder returns the ffmpeg that decodes the file to NUT on a pipe.
func (f *Film) decoder() *ff.Stream {
	reading := ff.KwArgs{"copyts": ""}
	if f.decodeBy != "" {
		reading["c:v"] = f.decodeBy
	}
	f.seek(reading)
	if f.options.HWAccel != "" {
		reading["hwaccel"] = f.options.HWAccel
	}
	in := ff.Input("file:"+f.Path, guarded(reading))
	out := ff.KwArgs{
		"fps_mode":      "passthrough",
		"enc_time_base": f.timeBase,
		"c:v":           "rawvideo",
		"pix_fmt":       f.decodeTo,
		"f":             "nut",
	}
	var filters []string
	if f.edited() {
		filters = append(filters, "trim=start=0")
	}
	if f.scaled {
		filters = append(filters, fmt.Sprintf("scale=%d:%d", f.W, f.H))
	}
	if f.interlaced() {
		filters = append(filters, "bwdif=mode=send_frame:deint=interlaced")
	}
	if f.decodeTo == "gbrap" && f.video.PixFmt != "gbrap" {
		// In one step ffmpeg would go by way of YUV, which rounds.
		filters = append(filters, "format=rgba,split[a][b];[a]format=gbrp[c];[b]extractplanes=a[d];[c][d]mergeplanes=0x00010210:gbrap")
	}
	if len(filters) > 0 {
		out["vf"] = strings.Join(filters, ",")
	}
	return ff.Output([]*ff.Stream{in.Get(fmt.Sprint(f.video.Index))}, "pipe:1", out).
		GlobalArgs("-hide_banner", "-nostdin", "-nostats", "-v", "level+verbose")
}

// startWords are what ffmpeg says where a recording or --start begins between key
// frames: what it cannot decode there is no damage.
var startWords = []string{
	"no frame!", "non-existing PPS", "non-existing SPS", "PPS id out of range", "decode_slice_header error", "missing picture in access unit",
	"Could not find ref with POC", "co located POCs unavailable", "reference picture missing", "Missing reference picture",
	"mmco: unref short failure", "number of reference frames", "Invalid frame dimensions 0x0",
}

// judge tells from the decoder's words, and why it failed if it did, whether the film is
// whole, after so many frames.
func (f *Film) judge(words *tail, failure error, frames int) {
	if sizes := words.pictureSizes(); len(sizes) > 1 || f.scaled {
		f.Notes = append(f.Notes, fmt.Sprintf("the picture is of another size than the container says, or of several (%s): all of it is scaled to %d×%d", strings.Join(sizes, ", "), f.W, f.H))
	}
	if failure != nil {
		f.Damage = f.countText(frames) + ": " + failure.Error()
		return
	}
	text := words.String()
	switch {
	case text == "":
	case words.all(startWords):
		f.Notes = append(f.Notes, "what could not be decoded at the beginning, before a key frame, is left out (ffmpeg: "+text+")")
	default:
		f.Damage = f.countText(frames) + ": damaged or cut short (ffmpeg: " + text + ")"
	}
}

// countText says how many frames there were of those that the container promises.
func (f *Film) countText(frames int) string {
	about := "about "
	if f.video.Frames != "" && f.options.Start == 0 && f.options.Duration == 0 {
		about = ""
	}
	switch {
	case f.Count == 0:
		return fmt.Sprintf("%d frames could be read", frames)
	case int64(frames) >= f.Count:
		return fmt.Sprintf("%d frames could be read, not all of them whole", frames)
	}
	return fmt.Sprintf("%d of %s%d frames could be read", frames, about, f.Count)
}

// gaveUp reports a decoder that ended by itself, with an error.
func (p *process) gaveUp() bool {
	const asked = 255 // ffmpeg's exit status after a signal
	var exit *exec.ExitError
	return errors.As(p.err, &exit) && exit.ExitCode() > 0 && exit.ExitCode() != asked
}

// all reports whether every line has one of the words.
func (t *tail) all(words []string) bool {
	return !slices.ContainsFunc(t.lines(), func(line string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) })
	})
}
