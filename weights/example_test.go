package weights_test

import (
	"fmt"

	"nstfilter/weights"
)

// A network that is built in, and its layers by the names of the literature.
func Example() {
	network, err := weights.Load("slim")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, layer := range network.Layers {
		fmt.Printf("%s: %d → %d channels\n", layer.Tap(), layer.In, layer.Out)
	}
	// Output:
	// relu1_1: 3 → 32 channels
	// relu1_2: 32 → 32 channels
	// relu2_1: 32 → 64 channels
	// relu2_2: 64 → 64 channels
	// relu3_1: 64 → 96 channels
	// relu3_2: 96 → 96 channels
	// relu3_3: 96 → 96 channels
	// relu4_1: 96 → 192 channels
	// relu4_2: 192 → 192 channels
	// relu4_3: 192 → 192 channels
	// relu5_1: 192 → 256 channels
}

// A network of your own, from a file.
func ExampleOpen() {
	network, err := weights.Open("slim/slim.f16.safetensors")
	if err != nil {
		fmt.Println(err)
		return
	}
	i, err := network.Layer("relu4_2")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s pooling; relu4_2 is layer %d of %d\n", network.Pooling, i+1, len(network.Layers))
	// Output: max pooling; relu4_2 is layer 9 of 11
}
