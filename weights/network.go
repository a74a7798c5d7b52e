package weights

import "fmt"

// Pooling is how a network halves its picture between blocks.
type Pooling string

const (
	AveragePooling Pooling = "avg" // Gatys 2015, section 2
	MaxPooling     Pooling = "max" // as VGG was trained
)

// Network is a chain of 3×3 convolutions (stride 1, padding 1), each followed by
// a ReLU, with 2×2 pooling before the first convolution of every block but the
// first. Its input is RGB in [0,1], minus Mean, divided by Std.
type Network struct {
	Name     string
	SHA256   string     // of the file it was read from, hexadecimal
	Mean     [3]float32 // per channel
	Std      [3]float32
	Pooling  Pooling   // what the network was made for
	Poolings []Pooling // what it may be used with
	Layers   []Layer   // in order
}

// Layer is one convolution and its ReLU: conv4_2 and relu4_2.
type Layer struct {
	Block, Index int       // 4, 2
	In, Out      int       // channels
	Weight       []float32 // (Out, In, 3, 3)
	Bias         []float32 // (Out)
	Metric       *Metric   // nil: M = I
}

// Metric makes the loss of a narrow network stand for its teacher's:
// ‖ΔGram_teacher‖² ≈ Style · tr(M Δ M Δ), ‖Δa_teacher‖² ≈ Content · Σ Δaᵀ M Δa.
type Metric struct {
	M        []float32 // (Out, Out), symmetric
	Channels int       // the teacher's n_c
	Style    float64   // s
	Content  float64   // c
}

// Tap names the layer's activation as the literature does: relu4_2.
func (l *Layer) Tap() string { return fmt.Sprintf("relu%d_%d", l.Block, l.Index) }

// Pooled reports whether the picture is halved before this layer.
func (l *Layer) Pooled() bool { return l.Block > 1 && l.Index == 1 }

// Layer returns the position of the tap's layer in n.Layers, or an error that
// lists the taps there are.
func (n *Network) Layer(tap string) (int, error) {
	var have []string
	for i := range n.Layers {
		if n.Layers[i].Tap() == tap {
			return i, nil
		}
		have = append(have, n.Layers[i].Tap())
	}
	return 0, fmt.Errorf("network %s has no layer %q (it has %v)", n.Name, tap, have)
}
