package problem

import (
	"math"
	"math/rand/v2"

	"nstfilter/weights"
)

// open returns vgg19, which has random weights, or a network that nstfilter knows.
func open(network string) (*weights.Network, error) {
	if network == "vgg19" {
		return randomVGG19(), nil
	}
	return weights.Load(network)
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
