// Package video reads and writes film: whole files through ffmpeg (OpenFilm,
// CreateFilm), and streams between programs as y4m (NewY4MReader, NewY4MWriter)
// or NUT (NewNUTReader, NewNUTWriter). How frames depend on each other is not here but
// in package video/coherence, and optical flow in video/flow.
//
// Frames carry their native samples. A writer adds the change in the picture to
// them, so what was not painted is written back bit by bit.
package video
