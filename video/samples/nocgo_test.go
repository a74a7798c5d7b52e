//go:build !cgo

package samples

func all() map[string]Rows { return map[string]Rows{"go": Go{}} }
