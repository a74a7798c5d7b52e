package video

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"nstfilter/filter"
)

// noise is a frame of any samples, illegal ones among them.
func noise(l Layout, seed uint64) *Native {
	r := rand.New(rand.NewPCG(seed, 1))
	n := &Native{Layout: l, Data: make([]byte, l.Format.FrameBytes(l.W, l.H))}
	if l.Format.Depth == 8 {
		for i := range n.Data {
			n.Data[i] = byte(r.Uint32())
		}
		return n
	}
	for i := 0; i < len(n.Data); i += 2 {
		v := r.Uint32() & (1<<l.Format.Depth - 1)
		n.Data[i], n.Data[i+1] = byte(v), byte(v>>8)
	}
	return n
}

func TestUnpaintedIsBitExact(t *testing.T) {
	for _, p := range pixelFormats {
		for _, size := range [][2]int{{1, 1}, {2, 2}, {3, 17}, {17, 3}, {32, 18}} {
			for _, siting := range []Siting{Left, Centre, TopLeft} {
				for _, full := range []bool{false, true} {
					for _, m := range []Matrix{BT601, BT709, BT2020} {
						n := noise(Layout{W: size[0], H: size[1], Format: p, Matrix: m, Full: full, Siting: siting}, 7)
						got := make([]byte, len(n.Data))
						n.encode(got, n.Frame())
						if !bytes.Equal(got, n.Data) {
							t.Fatalf("%v %v siting %d full %v: sample bytes differ", p, size, siting, full)
						}
					}
				}
			}
		}
	}
}

func TestKnownColours(t *testing.T) {
	// White, black and the primaries of 8 bits, limited range: BT.601-7, BT.709-6,
	// BT.2020-2, as any colour-bar table has them.
	for _, c := range []struct {
		m       Matrix
		r, g, b float32
		want    [3]byte
	}{
		{BT601, 1, 1, 1, [3]byte{235, 128, 128}},
		{BT601, 0, 0, 0, [3]byte{16, 128, 128}},
		{BT601, 1, 0, 0, [3]byte{81, 90, 240}},
		{BT601, 0, 1, 0, [3]byte{145, 54, 34}},
		{BT601, 0, 0, 1, [3]byte{41, 240, 110}},
		{BT709, 1, 1, 1, [3]byte{235, 128, 128}},
		{BT709, 1, 0, 0, [3]byte{63, 102, 240}},
		{BT709, 0, 1, 0, [3]byte{173, 42, 26}},
		{BT709, 0, 0, 1, [3]byte{32, 240, 118}},
		{BT2020, 1, 0, 0, [3]byte{74, 97, 240}},
		{BT2020, 0, 1, 0, [3]byte{164, 47, 25}},
		{BT2020, 0, 0, 1, [3]byte{29, 240, 119}},
	} {
		for _, full := range []bool{false, true} {
			l := Layout{W: 4, H: 4, Format: PixelFormat{S420, 8, false}, Matrix: c.m, Full: full}
			f := filter.NewFrame(4, 4)
			for i := range 16 {
				f.Pix[i], f.Pix[16+i], f.Pix[32+i] = c.r, c.g, c.b
			}
			e := encoder{layout: l}
			data, err := e.encode(f)
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if full { // from the definition, in float64
				y := c.m.Kr*float64(c.r) + (1-c.m.Kr-c.m.Kb)*float64(c.g) + c.m.Kb*float64(c.b)
				want[0] = byte(math.Round(255 * y))
				want[1] = byte(min(255, math.Round(128+255*(float64(c.b)-y)/(2*(1-c.m.Kb)))))
				want[2] = byte(min(255, math.Round(128+255*(float64(c.r)-y)/(2*(1-c.m.Kr)))))
			}
			if got := [3]byte{data[0], data[16], data[20]}; got != want {
				t.Errorf("%v full %v RGB %v %v %v: YCbCr %v, want %v", c.m, full, c.r, c.g, c.b, got, want)
			}
			back := (&Native{Layout: l, Data: data}).Frame()
			for i, v := range []float32{c.r, c.g, c.b} {
				if d := math.Abs(float64(back.Pix[16*i] - v)); d > 0.008 { // a rounded sample, twice chroma's share
					t.Errorf("%v full %v RGB %v %v %v: channel %d comes back as %v", c.m, full, c.r, c.g, c.b, i, back.Pix[16*i])
				}
			}
		}
	}
}

// reference converts one pixel straight from the definitions, in float64.
func reference(n *Native, x, y int) (rgb [3]float64) {
	sample := func(plane, x, y int) float64 {
		p, w, h := n.plane(n.Data, plane)
		i := min(max(y, 0), h-1)*w + min(max(x, 0), w-1)
		if n.Format.Depth == 8 {
			return float64(p[i])
		}
		return float64(int(p[2*i]) | int(p[2*i+1])<<8)
	}
	top := float64(int(1)<<n.Format.Depth - 1)
	if n.Format.Sampling == RGB {
		return [3]float64{sample(2, x, y) / top, sample(0, x, y) / top, sample(1, x, y) / top}
	}
	// Position of luma (x, y) on the chroma grid.
	px, py := float64(x), float64(y)
	if n.Format.Sampling == S420 || n.Format.Sampling == S422 {
		px /= 2
		if n.Siting == Centre {
			px -= 0.25
		}
	}
	if n.Format.Sampling == S420 {
		py /= 2
		if n.Siting != TopLeft {
			py -= 0.25
		}
	}
	at := func(plane int) float64 {
		x0, y0 := math.Floor(px), math.Floor(py)
		fx, fy := px-x0, py-y0
		i, j := int(x0), int(y0)
		return (1-fy)*((1-fx)*sample(plane, i, j)+fx*sample(plane, i+1, j)) +
			fy*((1-fx)*sample(plane, i, j+1)+fx*sample(plane, i+1, j+1))
	}
	step := math.Exp2(float64(n.Format.Depth - 8))
	y0, ys, c0, cs := 16*step, 219*step, 128*step, 224*step
	if n.Full {
		y0, ys, cs = 0, top, top
	}
	luma, cb, cr := (sample(0, x, y)-y0)/ys, 0.0, 0.0
	if n.Format.Sampling != Mono {
		cb, cr = (at(1)-c0)/cs, (at(2)-c0)/cs
	}
	kr, kb := n.Matrix.Kr, n.Matrix.Kb
	r, b := luma+2*(1-kr)*cr, luma+2*(1-kb)*cb
	g := (luma - kr*r - kb*b) / (1 - kr - kb)
	for i, v := range []float64{r, g, b} {
		rgb[i] = min(max(v, 0), 1)
	}
	return rgb
}

func TestFrameAgainstReference(t *testing.T) {
	for _, p := range pixelFormats {
		for _, size := range [][2]int{{1, 1}, {3, 17}, {17, 3}, {8, 6}} {
			for _, siting := range []Siting{Left, Centre, TopLeft} {
				for _, full := range []bool{false, true} {
					n := noise(Layout{W: size[0], H: size[1], Format: p, Matrix: BT709, Full: full, Siting: siting}, 3)
					f := n.Frame()
					for y := range n.H {
						for x := range n.W {
							want := reference(n, x, y)
							for c := range 3 {
								got := float64(f.Pix[(c*n.H+y)*n.W+x])
								if math.Abs(got-want[c]) > 2e-6 {
									t.Fatalf("%v %v siting %d full %v: pixel %d,%d channel %d is %v, want %v", p, size, siting, full, x, y, c, got, want[c])
								}
							}
						}
					}
				}
			}
		}
	}
}

// A change that is the same everywhere must come out in every sample.
func TestEvenChange(t *testing.T) {
	for _, p := range pixelFormats {
		for _, siting := range []Siting{Left, Centre, TopLeft} {
			l := Layout{W: 9, H: 7, Format: p, Matrix: BT709, Siting: siting}
			base := l.black()
			f := base.Frame()
			for i := range f.Pix {
				f.Pix[i] = [...]float32{0.5, 0.25, 0.75}[i/63]
			}
			e := encoder{layout: l}
			data, err := e.encode(f)
			if err != nil {
				t.Fatal(err)
			}
			back := (&Native{Layout: l, Data: data}).Frame()
			for i, v := range back.Pix {
				want := f.Pix[i]
				if p.Sampling == Mono {
					want = 0.2126*0.5 + 0.7152*0.25 + 0.0722*0.75
				}
				if math.Abs(float64(v-want)) > 2.5/math.Exp2(float64(p.Depth)) {
					t.Fatalf("%v siting %d: sample %d is %v, want %v", p, siting, i, v, want)
				}
			}
		}
	}
}

// Painting stays within the legal samples, and NaN does not spread.
func TestPaintIsLegal(t *testing.T) {
	l := Layout{W: 16, H: 16, Format: PixelFormat{S420, 8, false}, Matrix: BT601}
	n := noise(l, 5)
	f := n.Frame()
	for i := range f.Pix {
		f.Pix[i] = []float32{-4, 9, float32(math.NaN()), float32(math.Inf(1))}[i%4]
	}
	got := make([]byte, len(n.Data))
	n.encode(got, f)
	for i, v := range got {
		low, high := min(16, n.Data[i]), max(240, n.Data[i])
		if i < 256 {
			high = max(235, n.Data[i])
		}
		if v < low || v > high {
			t.Fatalf("sample %d: %d became %d", i, n.Data[i], v)
		}
	}
}

// Every format, through readers, frames and writers, and nothing of it is lost.
func TestStreamsAreBitExact(t *testing.T) {
	for _, p := range pixelFormats {
		for _, full := range []bool{false, true} {
			for i, siting := range []Siting{Left, Centre, TopLeft} {
				size := [...][2]int{{17, 19}, {16, 6}, {5, 1}}[i]
				l := Layout{W: size[0], H: size[1], Format: p, Siting: siting, Full: full, Matrix: BT601, SAR: filter.Rational{Num: 64, Den: 45}}
				t.Run(fmt.Sprintf("%v/%v/%d", p, full, siting), func(t *testing.T) {
					raw := []*Native{noise(l, 0), noise(l, 1), noise(l, 2)}
					if CheckY4M(p) == nil {
						y4mIsBitExact(t, raw)
					}
					nutIsBitExact(t, raw)
				})
			}
		}
	}
}

func y4mIsBitExact(t *testing.T, raw []*Native) {
	h := Y4MHeader{Layout: raw[0].Layout, Rate: filter.Rational{Num: 30000, Den: 1001}, Interlace: "p"}
	in := new(bytes.Buffer)
	in.WriteString(h.String() + " XAN=Y y\n")
	for i, n := range raw {
		fmt.Fprintf(in, "FRAME Ixyz XI=%d\n", i)
		in.Write(n.Data)
	}
	want := bytes.Clone(in.Bytes())
	r, err := NewY4MReader(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Header(); got.Full != h.Full || got.Format != h.Format || got.SAR != h.SAR {
		t.Fatalf("y4m: header %+v of %+v", got.Layout, h.Layout)
	}
	out := new(bytes.Buffer)
	w := NewY4MWriter(out, r.Header())
	for f, err := range r.Frames(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.TimeBase != (filter.Rational{Num: 1001, Den: 30000}) || f.PTS != int64(f.Index) {
			t.Fatalf("frame %d: time %d × %v", f.Index, f.PTS, f.TimeBase)
		}
		if err := w.WriteFrame(f.With(f.Pix)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Fatal("y4m: bytes differ")
	}
}

// Twice through NUT: samples, times and all bytes stay.
func nutIsBitExact(t *testing.T, raw []*Native) {
	l := raw[0].Layout
	h := NUTHeader{Layout: l, TimeBase: filter.Rational{Num: 1, Den: 90000}, Rate: filter.Rational{Num: 24000, Den: 1001}}
	stream := new(bytes.Buffer)
	w := NewNUTWriter(stream, h)
	for i, n := range raw {
		f := n.Frame()
		f.Index, f.PTS, f.TimeBase = i, int64(i*i*7919+129600), h.TimeBase
		if err := w.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(stream.Bytes())
	r, err := NewNUTReader(stream)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Header()
	if got.W != l.W || got.H != l.H || got.Format != l.Format || got.SAR != l.SAR || got.Rate != h.Rate || got.TimeBase != h.TimeBase {
		t.Fatalf("nut: header %+v of %+v", got, h)
	}
	if l.Format.Sampling < Mono && got.Full != l.Full {
		t.Fatalf("nut: full range is %v, want %v", got.Full, l.Full)
	}
	again := new(bytes.Buffer)
	w = NewNUTWriter(again, got)
	count := 0
	for f, err := range r.Frames(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Origin.(*Native).Data, raw[count].Data) || f.PTS != int64(count*count*7919+129600) {
			t.Fatalf("nut: frame %d differs", count)
		}
		if err := w.WriteFrame(f.With(f.Pix)); err != nil {
			t.Fatal(err)
		}
		count++
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if count != len(raw) {
		t.Fatalf("nut: %d frames", count)
	}
	if !bytes.Equal(again.Bytes(), want) {
		t.Fatal("nut: bytes differ")
	}
}

// Alpha is a frame's, in [0,1], and what is changed of it is written.
func TestAlpha(t *testing.T) {
	for _, p := range pixelFormats {
		l := Layout{W: 5, H: 3, Format: p, Matrix: BT709}
		n := noise(l, 9)
		f := n.Frame()
		if !p.Alpha {
			if f.Alpha != nil {
				t.Fatalf("%v: alpha out of nothing", p)
			}
			continue
		}
		samples, _, _ := n.plane(n.Data, alphaPlane)
		top := int32(1)<<p.Depth - 1
		sample := func(b []byte, i int) int32 {
			if p.Depth == 8 {
				return int32(b[i])
			}
			return int32(b[2*i]) | int32(b[2*i+1])<<8
		}
		for i, v := range f.Alpha {
			if want := float64(sample(samples, i)) / float64(top); math.Abs(float64(v)-want) > 1e-6 || v > 1 {
				t.Fatalf("%v: alpha %d is %v, want %v", p, i, v, want)
			}
		}
		g := *f
		g.Alpha = make([]float32, len(f.Alpha))
		for i := range g.Alpha {
			g.Alpha[i] = float32(i) / 10 // some of it above 1
		}
		e := encoder{layout: l}
		check := func(name string, f *filter.Frame, want func(i int) float64) {
			t.Helper()
			data, err := e.encode(f)
			if err != nil {
				t.Fatal(err)
			}
			colours, alpha := len(data)-len(samples), data[len(data)-len(samples):]
			if f.Origin != nil && !bytes.Equal(data[:colours], n.Data[:colours]) {
				t.Fatalf("%v %s: colours differ", p, name)
			}
			for i := range f.W * f.H {
				if got := float64(sample(alpha, i)) / float64(top); math.Abs(got-want(i)) > 0.501/float64(top)+1e-6 {
					t.Fatalf("%v %s: alpha %d is %v, want %v", p, name, i, got, want(i))
				}
			}
		}
		check("changed", &g, func(i int) float64 { return min(float64(i)/10, 1) })
		g.Origin = nil
		check("of another origin", &g, func(i int) float64 { return min(float64(i)/10, 1) })
		g.Alpha = nil
		check("none", &g, func(int) float64 { return 1 })
	}
}

// A frame of 1080p both ways; Frame allocates it, too.
func BenchmarkColour(b *testing.B) {
	for name, l := range map[string]Layout{
		"8 bits":  {Format: PixelFormat{S420, 8, false}, Matrix: BT709},
		"10 bits": {Format: PixelFormat{S420, 10, false}, Matrix: BT709},
		"PQ":      {Format: PixelFormat{S420, 10, false}, Matrix: BT2020, Siting: TopLeft, Transfer: PQ},
		"alpha":   {Format: PixelFormat{S444, 8, true}, Matrix: BT709},
	} {
		l.W, l.H = 1920, 1080
		n := noise(l, 1)
		f := n.Frame()
		b.Run(name+"/rgb", func(b *testing.B) {
			for b.Loop() {
				n.RGB(f.Pix)
			}
		})
		b.Run(name+"/Frame", func(b *testing.B) {
			for b.Loop() {
				n.Frame()
			}
		})
		dst := make([]byte, len(n.Data))
		b.Run(name+"/encode", func(b *testing.B) {
			for b.Loop() {
				n.encode(dst, f)
			}
		})
	}
}
