// Package journal keeps what an unfinished job has done, in a folder beside its output, so
// that the same command goes on where a killed one ended. How frames are painted and how
// they are encoded is decided elsewhere.
package journal
