// Package pipeline runs jobs (Job): it reads arguments into inputs, moves each input's
// frames from a source through stages to a sink (Run), and shares inputs among devices.
// How a frame is painted is not here but in filter, how frames depend on each other in
// video/coherence, film in video, still pictures in pipeline/photo, the list of devices
// in pipeline/engines, and what depends on the operating system in pipeline/host.
package pipeline
