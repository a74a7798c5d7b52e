//go:build cuda

package cuda

import (
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
)

var _ engine.Descender = (*Evaluator)(nil)

// descent is J on the device.
type descent struct {
	room   cu.DevicePtr // for all that follows
	terms  []term
	values cu.DevicePtr // float64: contents and traces, by tap, then TV and Prior
	last   engine.Values
}

// term is an engine.Term.
type term struct {
	target, metric   cu.DevicePtr // float32, n×n in rows
	styled, measured bool         // they are there
	style, content   float64
}

// place gives every term its part of the room and returns how large that is.
func (j *descent) place(taps []tap) int64 {
	room := memory{at: j.room}
	j.terms = make([]term, len(taps))
	j.values = room.take(8 * (2*len(taps) + 2))
	for i := range taps {
		if t := &taps[i]; t.Style {
			j.terms[i].target, j.terms[i].metric = room.take(4*t.n*t.n), room.take(4*t.n*t.n)
		}
	}
	return room.bytes
}

// descentBytes is what SetTerms allocates for taps, with what it makes gradients in.
func descentBytes(taps []tap) int64 {
	n := int64(widest(taps))
	return new(descent).place(taps) + squaresBytes(n)
}

// widest is the most channels of a tap with style.
func widest(taps []tap) (n int) {
	for i := range taps {
		if taps[i].Style {
			n = max(n, taps[i].n)
		}
	}
	return n
}

// SetTerms panics with engine.Failure if there is no memory.
func (e *Evaluator) SetTerms(terms []engine.Term) {
	if len(terms) != len(e.taps) {
		panic("cuda: not one term for each tap")
	}
	e.device.do(func() {
		e.makeRoom()
		for i, from := range terms {
			t, to := &e.taps[i], &e.j.terms[i]
			if from.Target != nil && !t.Style || from.Content != 0 && !t.Content {
				panic("cuda: a term of moments that the tap does not give")
			}
			to.styled, to.measured = from.Target != nil, from.Metric != nil
			to.style, to.content = from.Style, from.Content
			e.keepSquare(to.target, from.Target, t.n)
			e.keepSquare(to.metric, from.Metric, t.n)
		}
	})
}

// makeRoom allocates, once.
func (e *Evaluator) makeRoom() {
	j := &e.j
	if j.room != 0 {
		return
	}
	e.squares.fit(e.device, widest(e.taps))
	var err error
	if j.room, err = e.device.alloc("targets of style", j.place(e.taps)); err != nil {
		panic(engine.Failure{Err: err})
	}
	j.place(e.taps)
	j.last = engine.Values{Style: make([]float64, len(e.taps)), Content: make([]float64, len(e.taps))}
}

// close frees it. Inside alone.
func (j *descent) close(d *device) {
	if j.room != 0 {
		d.free(j.room)
	}
	*j = descent{}
}

// keepSquare copies an n×n matrix to the device, unless it is nil.
func (e *Evaluator) keepSquare(dst cu.DevicePtr, m []float32, n int) {
	if m == nil {
		return
	}
	if len(m) != n*n {
		panic("cuda: a matrix that is not channels × channels")
	}
	e.device.upload(dst, unsafe.Pointer(&m[0]), 4*int64(len(m)))
}

func (e *Evaluator) Descend(dx, x engine.Vector, tv float64, prior, w engine.Vector, priorWeight float64, read bool) engine.Values {
	p := e.w * e.h
	pdx, px := pointer(dx, 3*p), pointer(x, 3*p)
	var pprior, pw cu.DevicePtr
	if prior != nil {
		pprior, pw = pointer(prior, 3*p), pointer(w, p)
	}
	e.device.do(func() {
		e.activateAll(px)
		for i := range e.taps {
			e.weighTap(i, read)
		}
		e.descend(pdx)
		if tv != 0 {
			e.tv(pdx, px, tv, e.value(2*len(e.taps), read))
		}
		if prior != nil {
			e.prior(pdx, px, pprior, pw, priorWeight, e.value(2*len(e.taps)+1, read))
		}
		if read {
			e.readValues(tv != 0, prior != nil)
		}
	})
	return e.j.last
}

// value is where value i goes: nowhere if it is not read.
func (e *Evaluator) value(i int, read bool) cu.DevicePtr {
	if !read {
		return 0
	}
	return e.j.values + cu.DevicePtr(8*i)
}

// weighTap makes of a tap's sums the gradient of its term by its moments.
func (e *Evaluator) weighTap(i int, read bool) {
	t, j := &e.taps[i], &e.j.terms[i]
	t.gradient = gradient{gram: j.styled, content: j.content}
	if !j.styled {
		return
	}
	scale, n := 0., t.n // no position counts
	if t.positions > 0 {
		scale = 1 / t.positions
	}
	delta, half, product := e.squares.at[0], e.squares.at[1], e.squares.at[2]
	e.elements("style_delta", n*n, delta, j.target, t.gram, n, t.c, scale)
	if j.measured {
		e.device.product(half, delta, j.metric, n)
		e.device.product(product, j.metric, half, n)
	} else {
		product = delta
	}
	e.elements("style_gradient", n*n, t.dgram, product, delta, n, -j.style, e.partial)
	if read {
		e.addUp(vectorGrid(n*n), 1, e.value(len(e.taps)+i, read))
	}
}

// readValues waits for the values; what was not computed is 0.
func (e *Evaluator) readValues(tv, prior bool) {
	k := len(e.taps)
	e.device.copy(e.j.values, e.taps[0].content, 8*int64(k))
	all := make([]float64, 2*k+2)
	e.device.download(unsafe.Pointer(&all[0]), e.j.values, 8*int64(len(all)))
	v := &e.j.last
	for i := range e.taps {
		v.Content[i], v.Style[i] = all[i], 0
		if e.j.terms[i].styled {
			v.Style[i] = all[k+i]
		}
	}
	v.TV, v.Prior = 0, 0
	if tv {
		v.TV = all[2*k]
	}
	if prior {
		v.Prior = all[2*k+1]
	}
}
