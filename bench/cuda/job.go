package main

// job is what a program is asked to do, as a line of JSON.
type job struct {
	Card bool `json:"card,omitempty"` // of PyTorch: what the card does at most

	Folder    string  `json:"folder"` // of the problem
	Precision string  `json:"precision"`
	Seconds   float64 `json:"seconds"`  // to time it for
	Gradient  string  `json:"gradient"` // file to write dJ/dx to

	// Ours.
	Device string `json:"device,omitempty"`
	ISA    string `json:"isa,omitempty"`
	// PyTorch's: nchw or nhwc; eager, graph, or compiled (and then a graph).
	Layout string `json:"layout,omitempty"`
	Mode   string `json:"mode,omitempty"`
}

// answer is what it says, as a line of JSON. Seconds are of an iteration, the mean
// of each batch, after which the host waits for the device.
type answer struct {
	Program string    `json:"program"` // and its version
	Seconds []float64 `json:"seconds"`
	Host    []float64 `json:"host_seconds"` // ours: through the host, where Seconds are without it
	Memory  int64     `json:"memory"`       // of the device, in bytes
	Taken   int64     `json:"taken"`        // ours: by which its free memory sank
	Absent  string    `json:"absent"`       // ours: what the device lacks for it
}
