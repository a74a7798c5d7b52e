// Package weights holds the pretrained networks whose activations the losses
// are made of. Slim is embedded; Load finds a network by its name, Open reads
// any other from a .safetensors file:
//
//	n, err := weights.Load("vgg16", cacheDir)
//	n, err := weights.Open("mine.safetensors")
//
// Import makes vgg16 from the package that carries it.
package weights
