package problem

import (
	"bufio"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
)

// picture has waves of a wavelength and direction of its own in each channel, and
// noise.
func picture(w, h int, seed uint64) []float32 {
	random := rand.New(rand.NewPCG(seed, 1))
	pix := make([]float32, 0, 3*w*h)
	for range 3 {
		fx, fy, phase := random.Float64()/8, random.Float64()/8, 2*math.Pi*random.Float64()
		for y := range h {
			for x := range w {
				wave := math.Sin(fx*float64(x) + fy*float64(y) + phase)
				pix = append(pix, float32(0.5+0.3*wave+0.4*(random.Float64()-0.5)))
			}
		}
	}
	return pix
}

// WriteFloats makes a file of little-endian float32.
func WriteFloats(path string, v []float32) error {
	buf := make([]byte, 0, 4*len(v))
	for _, f := range v {
		buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(f))
	}
	return os.WriteFile(path, buf, 0o666)
}

// ReadFloats reads what WriteFloats made.
func ReadFloats(path string) ([]float32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	v := make([]float32, info.Size()/4)
	return v, binary.Read(bufio.NewReader(f), binary.LittleEndian, v)
}
