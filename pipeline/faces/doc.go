// Package faces finds faces in pictures (Detector) and follows them through a film (Tracker), as
// a map of what is to be left as it is. What becomes of that map is decided in package pipeline.
//
// The file facefinder is the cascade that comes with github.com/esimov/pigo v1.4.6
// (cascade/facefinder, SHA-256 d8014993e7298c7b1865d1f8b855d6dbf4ec5c808bf879e2091ab6837abf90cd),
// under the MIT licence in facefinder.LICENSE. It finds faces seen from the front, tilted by some
// 20 degrees at most (Markuš, Frljak, Pandžić, Ahlberg, Forchheimer: Object Detection with Pixel
// Intensity Comparisons Organized in Decision Trees, 2013).
package faces
