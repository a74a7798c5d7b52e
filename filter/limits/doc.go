// Package limits checks options against what the tags of their fields allow; in a list, each
// element:
//
//	oneof:"adam,lbfgs"  these texts; image:FILE stands for image: and any name
//	min:"0" max:"1e6"   a range with both ends, or one without an upper end if max is missing
//	above:"0" max:"1"   a range without its lower end
//	most:"32"           a list of 1 to 32 numbers
//
// The limits of a time.Duration are written 0s and 10s. What depends on two options is not
// checked here but in each Validate.
package limits
