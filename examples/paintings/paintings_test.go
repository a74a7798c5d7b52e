package main

import (
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The committed pictures are what this program draws: JPEG and the last digit of
// a sine on another processor are all that may differ.
func TestCommittedStyles(t *testing.T) {
	if testing.Short() {
		t.Skip("draws six paintings")
	}
	for _, p := range paintings {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			file, err := os.Open(filepath.Join("..", "styles", p.name+".jpg"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			want, err := jpeg.Decode(file)
			if err != nil {
				t.Fatal(err)
			}
			got := p.draw(1024, p.seed).Image()
			if got.Bounds() != want.Bounds() {
				t.Fatalf("drawn %v, committed %v", got.Bounds(), want.Bounds())
			}
			// Means over 4×4 pixels: what is left of JPEG is its error in broad colour.
			const side = 4
			sum, n := 0.0, 0
			for y := 0; y+side <= got.Rect.Dy(); y += side {
				for x := 0; x+side <= got.Rect.Dx(); x += side {
					var d [3]float64
					for i := range side * side {
						a := got.RGBAAt(x+i%side, y+i/side)
						r, g, b, _ := want.At(x+i%side, y+i/side).RGBA()
						d[0] += float64(a.R) - float64(r)/257
						d[1] += float64(a.G) - float64(g)/257
						d[2] += float64(a.B) - float64(b)/257
					}
					for _, v := range d {
						v /= side * side
						sum += v * v
						n++
					}
				}
			}
			if psnr := 10 * math.Log10(255*255/(sum/float64(n))); psnr < 30 {
				path := filepath.Join(os.TempDir(), p.name+"_got.jpg")
				if err := save(path, p.draw(1024, p.seed)); err == nil {
					t.Logf("drawn now: %s", path)
				}
				t.Errorf("PSNR %.1f dB against the committed picture, want 30", psnr)
			} else {
				t.Logf("PSNR %.1f dB", psnr)
			}
		})
	}
}

func TestSmallAndUnknown(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, 64, nil); err != nil {
		t.Fatal(err)
	}
	for _, p := range paintings {
		if _, err := os.Stat(filepath.Join(dir, p.name+".jpg")); err != nil {
			t.Error(err)
		}
	}
	if run(dir, 63, nil) == nil || run(dir, 64, []string{"nihgt"}) == nil {
		t.Error("a wrong size or name was taken")
	}
}

func TestSeeds(t *testing.T) {
	for _, p := range paintings {
		a, same, other := p.draw(96, p.seed).Image(), p.draw(96, p.seed).Image(), p.draw(96, p.seed+1).Image()
		if string(a.Pix) != string(same.Pix) {
			t.Errorf("%s: one seed gave two pictures", p.name)
		}
		if string(a.Pix) == string(other.Pix) {
			t.Errorf("%s: the seed decides nothing", p.name)
		}
	}
}

func TestNearestIsNearest(t *testing.T) {
	noise := Noise(1)
	s := NewSites(1, 1, 0.05)
	for k := range 150 {
		s.Add(Point{noise.Cell(k, 0), noise.Cell(k, 1)})
	}
	for k := range 300 {
		p := Point{1.2*noise.Cell(k, 2) - 0.1, 1.2*noise.Cell(k, 3) - 0.1}
		d1, d2 := math.Inf(1), math.Inf(1)
		for _, q := range s.At {
			d := (q.X-p.X)*(q.X-p.X) + (q.Y-p.Y)*(q.Y-p.Y)
			d1, d2 = min(d1, d), max(d1, min(d, d2))
		}
		if _, _, a, b := s.Nearest(p); a != d1 || b != d2 {
			t.Fatalf("at %v: %g and %g, want %g and %g", p, a, b, d1, d2)
		}
	}
}
