package photo

import (
	"io"

	"nstfilter/filter"
)

// Animation is an animated picture, decoded.
type Animation struct {
	W, H   int
	Alpha  bool  // some of it is transparent
	Delays []int // of each frame until the next, in ms

	samples []byte // of 8 bits, frame after frame
	bands   int    // of samples: R, G, B, and 4 with alpha
}

// IsAnimatedWebP reports whether a file is one. ffmpeg reads other animations.
func IsAnimatedWebP(path string) bool {
	file, err := openRegular(path)
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, 21)
	_, err = io.ReadFull(file, head)
	return err == nil && string(head[:4]) == "RIFF" && string(head[8:16]) == "WEBPVP8X" && head[20]&2 != 0
}

// Frame returns frame i, as Read would.
func (a *Animation) Frame(i int) *filter.Frame {
	f := filter.NewFrame(a.W, a.H)
	bands, n := a.bands, a.W*a.H
	if a.Alpha {
		f.Alpha = make([]float32, n)
	}
	samples := a.samples[i*n*bands:]
	for p := range n {
		for b := range 3 {
			f.Pix[b*n+p] = float32(samples[p*bands+b]) / 255
		}
		if a.Alpha {
			f.Alpha[p] = float32(samples[p*bands+3]) / 255
		}
	}
	f.Index = i
	return f
}
