package flow

// Compose is the flow from A to C by way of B, f being that from A to B and g that
// from B to C: f(x) + g(x+f(x)), into dst where it is a field of that size. dst may
// be f. What leaves B, or is not known in either, is not known.
func Compose(dst, f, g *Field) *Field {
	sameSize(f, g)
	if dst == nil {
		dst = NewField(f.W, f.H)
	}
	sameSize(f, dst)
	for y := range f.H {
		for x := range f.W {
			i := y*f.W + x
			u, v, known := f.At(x, y)
			if tx, ty := float32(x)+u, float32(y)+v; known && inside(tx, ty, f.W, f.H) {
				gu, gv, seen := g.sample(tx, ty)
				u, v, known = u+gu, v+gv, seen
			} else {
				known = false
			}
			if !known {
				u, v = 2*Unknown, 2*Unknown
			}
			dst.U[i], dst.V[i] = u, v
		}
	}
	return dst
}
