package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"nstfilter/weights"
)

// problem is what every program is given, as a folder that each of them reads:
// problem.json, this; weights.f32, every layer's weight (out, in, 3, 3) and then its
// bias (out); and the pictures x.f32, style.f32 and content.f32, (3, height, width)
// of RGB in [0,1]. All numbers are little-endian float32.
//
// J = Σ ‖G − A‖²/‖A‖² over relu1_1, 2_1, 3_1, 4_1, 5_1 + ‖a − t‖²/‖t‖² at relu4_2.
// G = F·Fᵀ/P is a layer's Gram matrix at x, F (C, P) its activation, A the same at
// style; a and t are the activations at x and content. The first layer sees the
// picture's border replicated, the others zeros; pooling is the average of 2×2.
// One iteration is J and dJ/dx.
type problem struct {
	Network string     `json:"network"`
	Mean    [3]float32 `json:"mean"`
	Std     [3]float32 `json:"std"`
	Layers  []layer    `json:"layers"`
	W       int        `json:"width"`
	H       int        `json:"height"`
	Threads int        `json:"threads"`

	network *weights.Network
}

type layer struct {
	Block   int  `json:"block"`
	Index   int  `json:"index"`
	In      int  `json:"in"`
	Out     int  `json:"out"`
	Style   bool `json:"style"`
	Content bool `json:"content"`
}

// newProblem takes the layers of n up to relu5_1.
func newProblem(n *weights.Network, w, h, threads int) *problem {
	p := &problem{Network: n.Name, Mean: n.Mean, Std: n.Std, W: w, H: h, Threads: threads, network: n}
	for _, l := range n.Layers {
		p.Layers = append(p.Layers, layer{l.Block, l.Index, l.In, l.Out, l.Index == 1, l.Block == 4 && l.Index == 2})
		if l.Block == 5 {
			break
		}
	}
	return p
}

// write makes the folder.
func (p *problem) write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "problem.json"), text, 0o666); err != nil {
		return err
	}
	var all []float32
	for i := range p.Layers {
		l := &p.network.Layers[i]
		all = append(append(all, l.Weight...), l.Bias...)
	}
	if err := writeFloats(filepath.Join(dir, "weights.f32"), all); err != nil {
		return err
	}
	for i, name := range []string{"x", "style", "content"} {
		if err := writeFloats(filepath.Join(dir, name+".f32"), picture(p.W, p.H, uint64(i))); err != nil {
			return err
		}
	}
	return nil
}

func readProblem(dir string) (*problem, error) {
	text, err := os.ReadFile(filepath.Join(dir, "problem.json"))
	if err != nil {
		return nil, err
	}
	p := &problem{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, err
	}
	all, err := readFloats(filepath.Join(dir, "weights.f32"))
	if err != nil {
		return nil, err
	}
	take := func(n int) (part []float32) {
		part, all = all[:n:n], all[n:]
		return part
	}
	p.network = &weights.Network{Name: p.Network, Mean: p.Mean, Std: p.Std}
	for _, l := range p.Layers {
		p.network.Layers = append(p.network.Layers, weights.Layer{Block: l.Block, Index: l.Index,
			In: l.In, Out: l.Out, Weight: take(9 * l.In * l.Out), Bias: take(l.Out)})
	}
	return p, nil
}

// randomVGG19 is VGG-19 to relu5_1 with weights after He et al. 2015: for speed.
func randomVGG19() *weights.Network {
	n := &weights.Network{Name: "vgg19", Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
	random := rand.New(rand.NewPCG(19, 0))
	in := 3
	for block, widths := range [][]int{{64, 64}, {128, 128}, {256, 256, 256, 256}, {512, 512, 512, 512}, {512}} {
		for index, out := range widths {
			l := weights.Layer{Block: block + 1, Index: index + 1, In: in, Out: out,
				Weight: make([]float32, 9*in*out), Bias: make([]float32, out)}
			deviation := math.Sqrt(2 / float64(9*in))
			for i := range l.Weight {
				l.Weight[i] = float32(deviation * random.NormFloat64())
			}
			n.Layers, in = append(n.Layers, l), out
		}
	}
	return n
}

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

func writeFloats(path string, v []float32) error {
	buf := make([]byte, 0, 4*len(v))
	for _, f := range v {
		buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(f))
	}
	return os.WriteFile(path, buf, 0o666)
}

func readFloats(path string) ([]float32, error) {
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
