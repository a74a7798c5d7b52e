// Package engines lists the devices that this program was built with, best first, and
// opens those that --device and --isa name. The engines themselves are in
// filter/engine; how inputs are shared among several is not here but in pipeline.
package engines
