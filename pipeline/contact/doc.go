// Package contact lays out and draws a sheet of drafts: styles as columns under their
// pictures, photos as rows beside theirs, with names; or of pictures side by side, the styles alone. New makes a Sheet; its methods draw into
// it picture by picture.
//
// Not here: what is painted, and files (pipeline).
package contact
