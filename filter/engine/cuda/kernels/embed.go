//go:build cuda

package kernels

import _ "embed"

// Base is for any GPU since Maxwell (sm_52): all but tensor cores.
//
//go:embed base.ptx
var Base string

// Tensor is for tensor cores, of Ampere and later (sm_80).
//
//go:embed tensor.ptx
var Tensor string

// Hopper is for the tensor cores of Hopper alone (sm_90a).
//
//go:embed hopper.ptx
var Hopper string
