// Package video reads and writes film: whole files through ffmpeg (OpenFilm,
// CreateFilm), and streams between programs as y4m (NewY4MReader, NewY4MWriter)
// or NUT (NewNUTReader, NewNUTWriter).
//
// Frames carry their native samples. A writer adds the change in the picture to
// them, so what was not painted is written back bit by bit.
package video
