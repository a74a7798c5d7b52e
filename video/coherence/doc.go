// Package coherence makes painted frames of a film agree with each other: it analyses
// motion and visibility between frames (NewAnalyzer), remembers results (NewHistory),
// and guides each frame by them. It also proposes frames to be painted by hand
// (NewKeyframeFinder). Reading and writing film is package video's, the
// estimation of optical flow is video/flow's, and painting is filter's.
package coherence
