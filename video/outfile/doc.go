// Package outfile writes files whole or not at all: under another name in the same folder
// until they are complete. What is in the files is decided elsewhere.
package outfile
