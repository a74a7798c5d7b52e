// Package host asks the machine that the program runs on: how much memory and disk is
// free, how much memory the process has taken, and for reads of stdin that can be ended.
// The memory of a GPU is not asked for here, but by its engine in filter/engine.
package host
