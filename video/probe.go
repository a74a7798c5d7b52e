package video

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	ff "github.com/u2takey/ffmpeg-go"

	"nstfilter/filter"
)

// Film is a film in a file.
type Film struct {
	Path     string
	W, H     int             // after rotation
	Count    int64           // frames, estimated; 0: not known
	Seconds  float64         // duration; 0: not known
	Begin    float64         // what a player shows as 0, in seconds of the container's clock
	Rate     filter.Rational // average frames per second; zero: not known
	Codec    string          // ffmpeg's name
	Format   PixelFormat     // of the frames
	HasAudio bool

	// Painted says that frames are changed, so that the result of a grey film has colours. Set
	// it before CreateFilm.
	Painted bool

	// Recipe is XMP that says what makes the result, which keeps it where its container has room.
	// Set it before CreateFilm.
	Recipe string

	// Damage says, after Frames, how much of a damaged film could be read, and what
	// ffmpeg complained of; "" of a whole one.
	Damage string

	// Notes say what the result will not keep of the film. Frames and CreateFilm
	// add to them.
	Notes []string

	video    probedStream
	others   []probedStream
	clock    float64           // of the container's first packet, in seconds; below 0 if sound begins before the picture
	format   string            // ffmpeg's name of the container
	tags     map[string]string // of the container
	light    sideData          // how an HDR film was mastered
	decodeTo string            // pixel format asked of ffmpeg
	scaled   bool              // to W×H, which is not its first frame's size
	decodeBy string            // decoder asked of it; "": its choice
	layout   Layout            // without size and SAR, which each frame has
	options  Options
	timeBase string // value of -enc_time_base
}

type probedStream struct {
	Index       int               `json:"index"`
	Type        string            `json:"codec_type"`
	Codec       string            `json:"codec_name"`
	Tag         string            `json:"codec_tag_string"`
	PixFmt      string            `json:"pix_fmt"`
	SampleFmt   string            `json:"sample_fmt"`
	SampleBits  string            `json:"bits_per_raw_sample"`
	W           int               `json:"width"`
	H           int               `json:"height"`
	Range       string            `json:"color_range"`
	Space       string            `json:"color_space"`
	Transfer    string            `json:"color_transfer"`
	Primaries   string            `json:"color_primaries"`
	Location    string            `json:"chroma_location"`
	Fields      string            `json:"field_order"`
	TimeBase    string            `json:"time_base"`
	AverageRate string            `json:"avg_frame_rate"`
	Frames      string            `json:"nb_frames"`
	Duration    string            `json:"duration"`
	Tags        map[string]string `json:"tags"`
	Disposition map[string]int    `json:"disposition"`
	SideData    []sideData        `json:"side_data_list"`
}

func (s *probedStream) isCover() bool { return s.Disposition["attached_pic"] == 1 }

type sideData struct {
	Type     string  `json:"side_data_type"`
	Rotation float64 `json:"rotation"`
	mastering
	lightLevel
}

// safeDemuxers are the demuxers that read only the named file. They exclude playlists,
// scripts and patterns of file names.
const safeDemuxers = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,av1,ivf," +
	"flv,asf,ogg,nut,yuv4mpegpipe,gif,apng,mxf,gxf,rm,wtv,dv,dirac,vc1,swf,smk,bink,nsv,roq,mjpeg,webp_pipe,jpegxl_anim," +
	"mp3,flac,wav,w64,aac,ac3,eac3,dts,aiff,au,caf,amr,ape,wv,tta"

// guarded adds to the options of an input that ffmpeg may read only the named file.
func guarded(more ff.KwArgs) ff.KwArgs {
	return ff.MergeKwArgs([]ff.KwArgs{{"protocol_whitelist": "file,pipe", "format_whitelist": safeDemuxers}, more})
}

// OpenFilm reads what ffprobe says of the file at path. The film's picture is the first video
// stream that is not a cover.
func OpenFilm(ctx context.Context, path string, o Options) (*Film, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no such file; check the name", path)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", path)
	case info.Size() == 0:
		return nil, fmt.Errorf("%s: the file is empty; fetch or export it again", path)
	}
	file, err := os.Open(path) // ffprobe's word for a file that may not be read has no remedy
	if err != nil {
		return nil, fmt.Errorf("%s: %w; change its rights, which ls -l shows, or copy it", path, errors.Unwrap(err))
	}
	file.Close()
	if err := findFFmpeg(); err != nil {
		return nil, err
	}
	f := &Film{Path: path, options: o}
	text, err := f.probe(ctx, ff.KwArgs{"show_format": "", "show_streams": ""})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	err = f.parse(text)
	switch {
	case f.encrypted(ctx):
		err = errors.New("is encrypted: decrypt it first (ffmpeg -decryption_key), or take it from where it is not")
	case errors.Is(err, errNoPicture):
		err = f.noPicture(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.cut(); err != nil {
		return nil, err
	}
	if f.HDR() {
		if err := f.probeHDR(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if o.HWAccel != "" {
		if err := hasHWAccel(ctx, o.HWAccel); err != nil {
			return nil, err
		}
	}
	if f.timeBase, err = keepTimeBase(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

var errNoPicture = errors.New("ffmpeg finds no picture in it")

// noPicture says why ffprobe does not know what the pictures are like.
func (f *Film) noPicture(ctx context.Context) error {
	name := cmp.Or(f.Codec, strings.ReplaceAll(f.video.Tag, "[0]", ""), "of an unknown codec")
	out, err := ask(ctx, "ffmpeg", "-v", "error", "-h", "decoder="+f.Codec)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || !strings.HasPrefix(out, "Decoder ") {
		return fmt.Errorf("this ffmpeg cannot decode video stream %d (%s): install a newer one, or convert the film where it can be played", f.video.Index, name)
	}
	return fmt.Errorf("video stream %d (%s) has no picture that ffmpeg can decode: see whether it plays, and fetch the film again", f.video.Index, name)
}

// encrypted reports a picture that would decode to noise: Matroska tags it, and of the mp4
// family its packets tell.
func (f *Film) encrypted(ctx context.Context) bool {
	if f.video.Tags["enc_key_id"] != "" {
		return true
	}
	if !f.edited() {
		return false
	}
	text, err := f.probe(ctx, ff.KwArgs{"select_streams": fmt.Sprint(f.video.Index), "read_intervals": "%+#1", "show_packets": ""})
	return err == nil && strings.Contains(string(text), `"side_data_type": "Encryption info"`)
}

// cut shortens the known length of the film to what --start and --duration leave of it.
func (f *Film) cut() error {
	start, length := f.options.Start.Seconds(), f.options.Duration.Seconds()
	whole := f.Seconds
	if whole <= 0 {
		return nil
	}
	if start >= whole {
		return fmt.Errorf("%s: --start %s is behind its end: it is %.3f s long; begin earlier", f.Path, f.options.Start, whole)
	}
	f.Seconds -= start
	if length > 0 {
		f.Seconds = min(f.Seconds, length)
	}
	f.Count = int64(math.Ceil(float64(f.Count) * f.Seconds / whole))
	return nil
}

// interlaced reports whether frames are to be made progressive.
func (f *Film) interlaced() bool {
	return !f.options.NoDeinterlace && slices.Contains([]string{"tt", "bb", "tb", "bt"}, f.video.Fields)
}

// notWhitelisted matches ffprobe's words about a format that is not among safeDemuxers.
var notWhitelisted = regexp.MustCompile(`\[(\w+)(?: @ \w+)?\] Format not on whitelist`)

// probe returns ffprobe's JSON of what the options ask it to show of the file.
func (f *Film) probe(ctx context.Context, options ff.KwArgs) ([]byte, error) {
	args := ff.ConvertKwargsToCmdLineArgs(guarded(ff.MergeKwArgs([]ff.KwArgs{{"v": "error", "of": "json"}, options})))
	text, err := ask(ctx, "ffprobe", append(args, "file:"+f.Path)...)
	if err != nil && ctx.Err() == nil {
		if m := notWhitelisted.FindStringSubmatch(err.Error()); m != nil {
			return nil, fmt.Errorf("is of a format that may name other files (%s), and such are not opened: make one film of it first: ffmpeg -i %q -c copy film.mkv", m[1], f.Path)
		}
		err = fmt.Errorf("not a film that ffmpeg can read: %w", err)
	}
	return []byte(text), err
}

// parse reads ffprobe's JSON.
func (f *Film) parse(text []byte) error {
	var p struct {
		Streams []probedStream `json:"streams"`
		Format  struct {
			Name     string            `json:"format_name"`
			Start    string            `json:"start_time"`
			Duration string            `json:"duration"`
			Tags     map[string]string `json:"tags"`
		} `json:"format"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("ffprobe: %w", err)
	}
	at := slices.IndexFunc(p.Streams, func(s probedStream) bool { return s.Type == "video" && !s.isCover() })
	if at < 0 {
		for _, s := range p.Streams {
			if s.Type == "audio" {
				return errors.New("no video stream, sound only")
			}
		}
		return errors.New("no video stream")
	}
	f.video = p.Streams[at]
	f.others = slices.Delete(slices.Clone(p.Streams), at, at+1)
	v := &f.video
	f.format, f.tags, f.Codec = p.Format.Name, p.Format.Tags, v.Codec
	f.clock = probedTime(p.Format.Start)
	f.Begin = max(f.clock, 0)
	f.W, f.H = v.W, v.H
	for _, d := range v.SideData {
		if math.Mod(math.Abs(d.Rotation), 180) == 90 {
			f.W, f.H = f.H, f.W
		}
	}
	if v.PixFmt == "" {
		return errNoPicture
	}
	if f.W < 16 || f.H < 16 {
		return fmt.Errorf("its picture is %d×%d; at least 16×16 is needed", f.W, f.H)
	}
	f.HasAudio = slices.ContainsFunc(p.Streams, func(s probedStream) bool { return s.Type == "audio" })
	f.Seconds = max(probedTime(v.Duration), 0)
	if f.Seconds == 0 {
		f.Seconds = max(probedTime(p.Format.Duration), 0)
	}
	if r, err := parseRatio(strings.ReplaceAll(v.AverageRate, "/", ":")); err == nil && r.Num > 0 && r.Den > 0 {
		f.Rate = r
	}
	f.Count, _ = strconv.ParseInt(v.Frames, 10, 64)
	f.Count = max(f.Count, 0)
	if f.Count == 0 && f.Rate.Den > 0 {
		f.Count = int64(math.Round(f.Seconds * float64(f.Rate.Num) / float64(f.Rate.Den)))
	}
	return f.chooseFormat()
}

// probedTime reads a time. It returns 0 for a text that is no time or too long for a film.
func probedTime(text string) float64 {
	const longest = 1e9 // thirty years
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(s) <= longest) {
		return 0
	}
	return s
}

// chooseFormat sets the planar format that holds the film's samples, and its colour.
func (f *Film) chooseFormat() error {
	v := &f.video
	format, ok := nativeFormat(v.PixFmt)
	if !ok {
		return fmt.Errorf("its pixel format %q is not known", v.PixFmt)
	}
	if decoder, ok := map[string]string{"vp8": "libvpx", "vp9": "libvpx-vp9"}[v.Codec]; ok && v.Tags["alpha_mode"] == "1" {
		f.decodeBy = decoder // ffmpeg's own decoder drops alpha
		format.Alpha = true
	}
	f.Format, f.decodeTo = format, format.String()
	f.layout = Layout{Format: format, Matrix: guessMatrix(f.H), Full: fullByDefault(format)}
	l := &f.layout
	switch v.Space {
	case "bt709":
		l.Matrix = BT709
	case "smpte170m", "bt470bg":
		l.Matrix = BT601
	case "bt2020nc":
		l.Matrix = BT2020
	case "gbr":
		if format.Sampling < Mono {
			f.Notes = append(f.Notes, "the film is tagged as RGB and has YUV: it is painted as if it were BT.709 or BT.601, and the result is not tagged so")
		}
	default:
		if knownTag(v.Space) {
			f.Notes = append(f.Notes, "colour space "+v.Space+" is painted as if it were BT.709 or BT.601")
		}
	}
	switch v.Range {
	case "tv":
		l.Full = false
	case "pc":
		l.Full = true
	}
	if strings.HasPrefix(v.PixFmt, "yuvj") {
		f.decodeTo = "yuvj" + strings.TrimPrefix(f.decodeTo, "yuv") // or ffmpeg squeezes the range
		l.Full = true
	}
	switch v.Location {
	case "center":
		l.Siting = Centre
	case "topleft":
		l.Siting = TopLeft
	}
	switch v.Transfer {
	case "smpte2084":
		l.Transfer = PQ
	case "arib-std-b67":
		l.Transfer = HLG
	}
	f.options.apply(l)
	if f.interlaced() {
		f.Notes = append(f.Notes, "the film is interlaced; the result is not (--no-deinterlace if it is only marked so)")
	}
	return nil
}

// written returns the format of the frames that the encoder gets.
func (f *Film) written() PixelFormat {
	if f.Painted {
		return f.Format.coloured(f.layout.Full)
	}
	return f.Format
}

// FrameBytes returns how many bytes the encoder gets for a frame of the film's size.
func (f *Film) FrameBytes() int64 { return f.written().FrameBytes(f.W, f.H) }

// nativeFormat returns the planar format that holds every sample of ffmpeg's format name.
func nativeFormat(name string) (p PixelFormat, ok bool) {
	native, alpha := nativeName(name)
	if p, ok = parsePixelFormat(native); !ok || !alpha {
		return p, ok
	}
	p.Alpha = true
	if p.Sampling == Mono { // has no layout with alpha
		p.Sampling = RGB
	}
	return p, slices.Contains(pixelFormats, p)
}

// nativeName returns the planar format without alpha that holds every sample of ffmpeg's
// format name, or "" if that is not known.
func nativeName(name string) (native string, alpha bool) {
	wide := strings.TrimSuffix(strings.TrimSuffix(name, "le"), "be")
	if p, ok := parsePixelFormat(wide); ok {
		return p.Opaque().String(), p.Alpha
	}
	switch wide {
	case "yuvj420p", "yuvj422p", "yuvj444p":
		return strings.Replace(wide, "j", "", 1), false
	case "rgb24", "bgr24", "0rgb", "rgb0", "0bgr", "bgr0", "rgb8", "bgr8", "rgb4_byte", "bgr4_byte",
		"rgb565", "bgr565", "rgb555", "bgr555", "rgb444", "bgr444":
		return "gbrp", false
	case "rgba", "bgra", "argb", "abgr", "gbrap", "pal8":
		return "gbrp", true
	case "x2rgb10", "x2bgr10":
		return "gbrp10le", false
	case "xyz12":
		return "gbrp12le", false
	case "rgb48", "bgr48":
		return "gbrp16le", false
	case "rgba64", "bgra64":
		return "gbrp16le", true
	case "nv12", "nv21":
		return "yuv420p", false
	case "p010":
		return "yuv420p10le", false
	case "p012", "p016":
		return "yuv420p16le", false
	case "yuyv422", "uyvy422", "yvyu422", "nv16":
		return "yuv422p", false
	case "nv20", "y210", "p210":
		return "yuv422p10le", false
	case "y212", "p216":
		return "yuv422p16le", false
	case "yuv440p", "yuvj440p", "yuv411p", "yuvj411p", "yuv410p", "nv24", "nv42":
		return "yuv444p", false
	case "yuv440p10", "p410", "xv30":
		return "yuv444p10le", false
	case "yuv440p12", "xv36":
		return "yuv444p12le", false
	case "p416":
		return "yuv444p16le", false
	case "vuya", "ayuv":
		return "yuv444p", true
	case "ayuv64":
		return "yuv444p16le", true
	case "monob", "monow":
		return "gray", false
	case "ya8":
		return "gray", true
	case "ya16":
		return "gray16le", true
	}
	return "", false
}
