// Package video reads and writes film: whole files through ffmpeg (OpenFilm,
// CreateFilm), and streams between programs as y4m (NewY4MReader, NewY4MWriter)
// or NUT (NewNUTReader, NewNUTWriter). It knows nothing of painting or of how frames
// depend on each other: the latter is package video/coherence's.
//
// Frames carry their native samples. A writer adds the change in the picture to
// them, so what was not painted is written back bit by bit.
package video
