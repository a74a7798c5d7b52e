// Package kernels holds what the cuda engine runs on a GPU, in PTX: text that the driver
// translates for the GPU it finds. build.sh makes it from the sources beside it.
package kernels
