// Package coherence makes painted frames of a film agree with each other. For each frame
// Analyzer.Analyze looks for motion and for what was visible before, History.Guide makes of
// that where filter.Filter.Paint starts and what it is held to, and History.Keep remembers the
// result; the example has the loop. KeyframeFinder proposes frames to be painted by hand.
// Reading and writing film is package video's, the estimation of optical flow is video/flow's,
// and painting is filter's.
package coherence
