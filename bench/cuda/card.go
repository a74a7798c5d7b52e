package main

import "fmt"

// card is what the device does at most, as PyTorch measures it: large matrix products,
// in FLOP/s, and a copy from device to device, in bytes/s read and written together.
type card struct {
	Name string  `json:"name"`
	GPU  bool    `json:"gpu"`
	FP32 float64 `json:"fp32"`
	TF32 float64 `json:"tf32"`
	BF16 float64 `json:"bf16"`
	Copy float64 `json:"copy"`
}

func (c *card) print() {
	fmt.Printf("%s, matrix products in PyTorch: fp32 %.4g, tf32 %.4g, bf16 %.4g TFLOP/s; copy %.4g GB/s, read and written\n",
		c.Name, c.FP32/1e12, c.TF32/1e12, c.BF16/1e12, c.Copy/1e9)
}
