package main

import (
	"fmt"
	"image"
	_ "image/png"
	"math"
	"os"
	"path/filepath"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// pair is two pictures and the exact flow between them.
type pair struct {
	name  string
	a, b  *filter.Frame
	truth *flow.Field
}

// readPairs reads NAME/frame10.png, frame11.png and flow10.flo, as Middlebury lays
// them out.
func readPairs(dir string) (pairs []pair, err error) {
	found, err := filepath.Glob(filepath.Join(dir, "*", "flow10.flo"))
	if err != nil {
		return nil, err
	}
	for _, name := range found {
		d := filepath.Dir(name)
		p := pair{name: filepath.Base(d)}
		if p.a, err = readFrame(filepath.Join(d, "frame10.png")); err != nil {
			return nil, err
		}
		if p.b, err = readFrame(filepath.Join(d, "frame11.png")); err != nil {
			return nil, err
		}
		if p.truth, err = readFlow(name); err != nil {
			return nil, err
		}
		if p.a.W != p.b.W || p.a.H != p.b.H || p.a.W != p.truth.W || p.a.H != p.truth.H {
			return nil, fmt.Errorf("%s: pictures and flow differ in size: take them from one set", d)
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%s: no */flow10.flo in it; name a folder of Middlebury's pairs, or none for generated ones", dir)
	}
	return pairs, nil
}

func readFlow(name string) (*flow.Field, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := flow.ReadFlo(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// readFrame reads a picture's luma, in 8 bits as OpenCV takes it, as grey.
func readFrame(name string) (*filter.Frame, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	img, _, err := image.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	size := img.Bounds()
	f := filter.NewFrame(size.Dx(), size.Dy())
	for y := range f.H {
		for x := range f.W {
			r, g, b, _ := img.At(size.Min.X+x, size.Min.Y+y).RGBA()
			set(f, x, y, (0.299*float64(r)+0.587*float64(g)+0.114*float64(b))/65535)
		}
	}
	return f, nil
}

func set(f *filter.Frame, x, y int, luma float64) {
	v := float32(math.Round(255*luma) / 255)
	for p := range 3 {
		f.Pix[(p*f.H+y)*f.W+x] = v
	}
}

// bytes is f's luma in 8 bits.
func bytes(f *filter.Frame) []byte {
	b := make([]byte, f.W*f.H)
	for i := range b {
		b[i] = byte(math.Round(255 * float64(f.Pix[i])))
	}
	return b
}

// madePairs are a textured disc over a textured ground, both moving, at three
// sizes.
func madePairs() (pairs []pair) {
	for _, s := range [][2]int{{320, 240}, {640, 480}, {1280, 720}} {
		w, h := s[0], s[1]
		p := pair{fmt.Sprintf("made %d×%d", w, h), filter.NewFrame(w, h), filter.NewFrame(w, h), flow.NewField(w, h)}
		r := float64(h) / 4
		sin, cos := math.Sincos(0.06)
		for y := range h {
			for x := range w {
				px, py := float64(x)-float64(w)/2, float64(y)-float64(h)/2
				// Back by 3 % of zoom and by (2, −1); the disc turns and moves by (9, 4).
				if math.Hypot(px, py) < r {
					set(p.a, x, y, waves(px+1e3, py))
				} else {
					set(p.a, x, y, waves(px, py))
				}
				if qx, qy := px-9, py-4; math.Hypot(qx, qy) < r {
					set(p.b, x, y, waves(cos*qx+sin*qy+1e3, cos*qy-sin*qx))
				} else {
					set(p.b, x, y, waves((px-2)/1.03, (py+1)/1.03))
				}
				i := y*w + x
				if math.Hypot(px, py) < r {
					p.truth.U[i], p.truth.V[i] = float32(cos*px-sin*py+9-px), float32(sin*px+cos*py+4-py)
				} else {
					p.truth.U[i], p.truth.V[i] = float32(0.03*px+2), float32(0.03*py-1)
				}
			}
		}
		pairs = append(pairs, p)
	}
	return pairs
}

// waves is a texture in [0,1] of lengths from 4 to 100 pixels.
func waves(x, y float64) float64 {
	s := 0.5
	for k := range 40 {
		angle, length := 2.4*float64(k), 4*math.Pow(1.085, float64(k))
		s += 0.04 * math.Sin(2*math.Pi*(x*math.Cos(angle)+y*math.Sin(angle))/length+float64(k*k))
	}
	return min(max(s, 0), 1)
}

// endPointError is the mean distance between the ends of two flows, where truth
// is known.
func endPointError(f, truth *flow.Field) float64 {
	var sum float64
	n := 0
	for y := range f.H {
		for x := range f.W {
			if tu, tv, known := truth.At(x, y); known {
				u, v, _ := f.At(x, y)
				sum += math.Hypot(float64(u-tu), float64(v-tv))
				n++
			}
		}
	}
	return sum / float64(n)
}
