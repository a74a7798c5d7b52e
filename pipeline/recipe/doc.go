// Package recipe is the record that a result carries of what made it: the options that differ
// from the defaults, the names and hashes of the styles, the network, the program. Recipe.XMP
// writes it as XMP, Merge puts it into the XMP that a picture has, and Find reads it back from
// a file of any format.
//
// Not here: where a format keeps XMP (pipeline/photo, video), and the command line
// (cmd/nstfilter).
package recipe
