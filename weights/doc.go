// Package weights holds the pretrained networks whose activations the losses
// are made of. Slim and vgg16 are embedded; Open reads any other from a
// .safetensors file, and ImportTorch makes one of what torchvision publishes:
//
//	n, err := weights.Load("vgg16")
//	n, err := weights.Open("mine.safetensors")
package weights
