//go:build !cgo

package pipeline

func native() []device { return nil }
