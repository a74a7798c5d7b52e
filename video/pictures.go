package video

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"nstfilter/filter"
)

// Pictures are the frames of a film that is in no file yet.
type Pictures struct {
	W, H  int
	Count int64
	Rate  Rate
	Depth int  // bits of a sample
	Alpha bool // some are transparent
}

// OfPictures returns a film for CreateFilm, of which Frames is not to be called. Frames that
// go to CreateFilm's sink are sRGB without an Origin of this package. For an encoder that
// nobody has asked for, and whose films are for players, they become 8-bit 4:2:0, as players
// show; for others the encoder's nearest format.
func OfPictures(ctx context.Context, p Pictures, container string, o Options) (*Film, error) {
	if err := findFFmpeg(); err != nil {
		return nil, err
	}
	f := &Film{W: p.W, H: p.H, Count: p.Count, Rate: filter.Rational(p.Rate), Codec: "rawvideo", options: o}
	f.Seconds = float64(p.Count*p.Rate.Den) / float64(p.Rate.Num)
	f.Format = PixelFormat{Sampling: RGB, Depth: 8, Alpha: p.Alpha}
	if p.Depth > 8 {
		f.Format.Depth = 16
	}
	if !slices.Contains(pixelFormats, f.Format) {
		f.Format.Depth = 8
	}
	usual := usualEncoders[strings.ToLower(strings.TrimPrefix(container, "."))]
	if o.Encoder == "auto" && !p.Alpha && slices.Contains(forPlayers, usual) {
		f.Format = PixelFormat{Sampling: S420, Depth: 8}
		if p.Depth > 8 {
			f.Notes = append(f.Notes, fmt.Sprintf("%d bits per sample become 8, which every player shows: --encoder libx265 keeps more", p.Depth))
		}
	}
	f.layout = Layout{Format: f.Format, Matrix: guessMatrix(f.H), Full: fullByDefault(f.Format)}
	f.video = probedStream{W: p.W, H: p.H, TimeBase: fmt.Sprintf("%d/%d", p.Rate.Den, p.Rate.Num)}
	if f.Format.Sampling != RGB {
		f.video.Space = map[Matrix]string{BT601: "smpte170m", BT709: "bt709"}[f.layout.Matrix]
	}
	var err error
	f.timeBase, err = keepTimeBase(ctx)
	return f, err
}

// Rate is frames per second: 24, 24000/1001, or 23.976, which stands for that.
type Rate filter.Rational

// UnmarshalText reads what MarshalText writes, and decimals.
func (r *Rate) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	above, below, fraction := strings.Cut(text, "/")
	num, err := strconv.ParseFloat(above, 64)
	den := 1.0
	if err == nil && fraction {
		den, err = strconv.ParseFloat(below, 64)
	}
	const most = 1 << 30
	switch whole := num == math.Trunc(num) && den == math.Trunc(den); {
	case err != nil || !(num > 0 && den > 0 && num < most && den < most && num/den >= 1e-3 && num/den <= 1000), fraction && !whole:
		return fmt.Errorf("%q is no frame rate: write 24, 24000/1001 or 23.976", text)
	case whole:
		*r = Rate{int64(num), int64(den)}
	case math.Abs(num*1.001-math.Round(num*1.001)) < 0.002: // as television counts
		*r = Rate{int64(math.Round(num*1.001)) * 1000, 1001}
	default:
		*r = Rate{int64(math.Round(num * 1e6)), 1e6}
	}
	return nil
}

// MarshalText writes 24 or 24000/1001.
func (r Rate) MarshalText() ([]byte, error) {
	if r.Den == 1 {
		return strconv.AppendInt(nil, r.Num, 10), nil
	}
	return fmt.Appendf(nil, "%d/%d", r.Num, r.Den), nil
}
