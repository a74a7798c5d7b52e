// Package flow estimates how pictures move: dense optical flow between two
// frames, where it can be trusted, and pictures moved along it.
//
// Flow is found by dense inverse search (Kroeger, Timofte, Dai, Van Gool, ECCV
// 2016) on a pyramid of luma, refined at each of its levels by the variational
// method of Brox, Bruhn, Papenberg and Weickert (ECCV 2004):
//
//	e := flow.New(w, h, flow.Medium, threads)
//	forward, backward := e.Next(frame) // nil, nil for the first
//	seen := flow.Confidence(nil, backward, forward, nil, threads)
//
// and the frame before is moved onto this one by
//
//	flow.Warp(moved, previous.Pix, backward, threads)
//
// Nothing depends on the number of threads, not by a bit.
package flow
