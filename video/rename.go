package video

// Rename changes the result's final name, before Close; its folder and extension
// stay what they were.
func (s *FilmSink) Rename(out string) { s.out = out }
