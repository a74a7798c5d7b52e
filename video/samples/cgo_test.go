//go:build cgo

package samples

// all is what this processor can run.
func all() map[string]Rows {
	rows := map[string]Rows{"go": Go{}, "plain": plain()}
	if r, ok := avx2(); ok {
		rows["avx2"] = r
	}
	return rows
}
