package video

import (
	"bytes"
	"math"
	"os"
	"testing"

	"nstfilter/filter"
)

var transfers = map[string]Transfer{"pq": PQ, "hlg": HLG}

// eyes is what a frame has of native samples v.
func eyes(t Transfer, v []float32) []float32 {
	s := append([]float32(nil), v...)
	rowKernels.Curve(s, &t.curves().to)
	return s
}

func TestTransferIsInvertible(t *testing.T) {
	for name, transfer := range transfers {
		all := make([]float32, 1<<16)
		for i := range all {
			all[i] = float32(i) / (1<<16 - 1)
		}
		s := eyes(transfer, all)
		back := append([]float32(nil), s...)
		rowKernels.Curve(back, &transfer.curves().from)
		worst := 0.0
		for i := range all {
			if i > 0 && (s[i] <= s[i-1] || back[i] < back[i-1]) {
				t.Fatalf("%s: sample %d of 16 bits: %v and %v after %v and %v", name, i, s[i], back[i], s[i-1], back[i-1])
			}
			worst = max(worst, math.Abs(float64(back[i]-all[i]))*(1<<16-1))
		}
		if s[0] != 0 || s[len(s)-1] != 1 || worst > 0.5 {
			t.Errorf("%s: from %v to %v; comes back within %.2g samples of 16 bits", name, s[0], s[len(s)-1], worst)
		}
		c := transfer.curves()
		for i := 1; i < len(c.from)-1; i++ {
			if c.from[i] <= c.from[i-1] {
				t.Fatalf("%s: the way back falls at %d", name, i)
			}
		}
	}
}

func TestTransferKnownLight(t *testing.T) {
	// ITU-R BT.2408: samples of known light; 203 cd/m² is 58 % in PQ, 75 %
	// in HLG.
	for _, c := range []struct {
		light, sample float64
		of            func(float64) float64
	}{
		{203, 0.58, pqLight}, {203, 0.75, hlgLight}, {1000, 0.75, pqLight}, {1000, 1, hlgLight}, {10000, 1, pqLight}, {26, 0.38, pqLight}, {26, 0.38, hlgLight},
	} {
		if got := c.of(c.sample); math.Abs(got/c.light-1) > 0.03 {
			t.Errorf("a sample of %v is %.4g cd/m², want about %v", c.sample, got, c.light)
		}
	}
	for name, transfer := range transfers {
		light, sample := pqLight, pqSample
		if transfer == HLG {
			light, sample = hlgLight, hlgSample
		}
		for _, v := range []float64{0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 1} {
			if back := sample(light(v)); math.Abs(back-v) > 1e-6 {
				t.Errorf("%s: %v comes back as %v", name, v, back)
			}
		}
		s := eyes(transfer, []float32{float32(sample(referenceWhite)), float32(sample(26)), float32(sample(100))})
		if s[0] < 0.9 || s[0] > 0.93 { // SDR's white, with room above
			t.Errorf("%s: reference white is %v to the network", name, s[0])
		}
		for i, light := range []float64{26, 100} { // as on an SDR display
			if want := math.Pow(light/referenceWhite, 1/2.4); math.Abs(float64(s[1+i])-want) > 1e-4 {
				t.Errorf("%s: %v cd/m² is %v to the network, want %v", name, light, s[1+i], want)
			}
		}
	}
}

func TestHDRUnpaintedIsBitExact(t *testing.T) {
	for _, p := range pixelFormats {
		for name, transfer := range transfers {
			for _, full := range []bool{false, true} {
				n := noise(Layout{W: 17, H: 5, Format: p, Matrix: BT2020, Full: full, Siting: TopLeft, Transfer: transfer}, 7)
				got := make([]byte, len(n.Data))
				f := n.Frame()
				n.encode(got, f)
				if !bytes.Equal(got, n.Data) {
					t.Fatalf("%v %s full %v: sample bytes differ", p, name, full)
				}
				for i, v := range f.Pix {
					if !(v >= 0 && v <= 1) {
						t.Fatalf("%v %s: sample %d is %v", p, name, i, v)
					}
				}
			}
		}
	}
}

// A painted colour is that colour when the result is read again.
func TestHDRPaint(t *testing.T) {
	for name, transfer := range transfers {
		l := Layout{W: 8, H: 6, Format: PixelFormat{S444, 10, false}, Matrix: BT2020, Transfer: transfer}
		n := l.black()
		for i := range 48 { // grays from black to white
			v := 64 + 876*i/47
			n.Data[2*i], n.Data[2*i+1] = byte(v), byte(v>>8)
		}
		f := filter.NewFrame(8, 6)
		f.Origin = n
		for i := range f.Pix {
			f.Pix[i] = [...]float32{0.6, 0.4, 0.2}[i/48]
		}
		e := encoder{layout: l}
		data, err := e.encode(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range (&Native{Layout: l, Data: data}).Frame().Pix {
			if math.Abs(float64(v-f.Pix[i])) > 0.005 {
				t.Fatalf("%s: sample %d is %v, want %v", name, i, v, f.Pix[i])
			}
		}
	}
}

// A film's tag chooses the transfer function, unless an option does.
func TestHDRFilm(t *testing.T) {
	needFFmpeg(t)
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		tag, option string
		want        Transfer
	}{{"smpte2084", "auto", PQ}, {"arib-std-b67", "auto", HLG}, {"bt709", "auto", SDR}, {"smpte2084", "sdr", SDR}, {"bt709", "hlg", HLG}} {
		name := c.tag + ".mkv"
		if _, err := os.Stat(name); err != nil {
			ffmpeg(t, "-f lavfi -i testsrc2=s=34x18:r=5:d=0.4 -pix_fmt yuv420p10le -c:v ffv1 -colorspace bt2020nc -color_primaries bt2020 -color_trc "+c.tag+" "+name)
		}
		o := DefaultOptions()
		o.ColorTransfer = c.option
		film, err := OpenFilm(t.Context(), name, o)
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for f, err := range film.Frames(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n := f.Origin.(*Native)
			if n.Transfer != c.want || n.Matrix != BT2020 {
				t.Fatalf("%+v: transfer %d, matrix %v", c, n.Transfer, n.Matrix)
			}
			e := encoder{layout: n.Layout}
			if got, err := e.encode(f); err != nil || !bytes.Equal(got, n.Data) {
				t.Fatalf("%+v: frame %d differs, %v", c, f.Index, err)
			}
			count++
		}
		if count != 2 {
			t.Fatalf("%+v: %d frames", c, count)
		}
	}
}
