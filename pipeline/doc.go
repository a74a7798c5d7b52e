// Package pipeline runs jobs and streams. Most programs need one of two calls: Job.Run does
// what a command line says, from the names of files to finished results; Run moves frames from
// a source through stages of your own to a sink, which WriterSink makes of a writer.
//
// How a frame is painted is not here but in filter, how frames depend on each other in
// video/coherence, film in video, still pictures in pipeline/photo, the list of devices
// in pipeline/engines, and what depends on the operating system in pipeline/host.
package pipeline
