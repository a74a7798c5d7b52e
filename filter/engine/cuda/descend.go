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
	room    cu.DevicePtr // for all that follows
	terms   []term
	values  cu.DevicePtr // float64: contents and traces, by tap, then TV and Prior
	squares squares      // what a gradient is made in
	last    engine.Values

	recorders [2]recorder // without reading, and with it
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
			next := term{to.target, to.metric, from.Target != nil, from.Metric != nil, from.Style, from.Content}
			if *to != next {
				e.forget()
				*to = next
			}
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
	j.squares.fit(e.device, widest(e.taps))
	var err error
	if j.room, err = e.device.alloc("targets of style", j.place(e.taps)); err != nil {
		panic(engine.Failure{Err: err})
	}
	j.place(e.taps)
	j.last = engine.Values{Style: make([]float64, len(e.taps)), Content: make([]float64, len(e.taps))}
}

// close frees it. Inside alone.
func (j *descent) close(d *device) {
	for i := range j.recorders {
		j.recorders[i].forget(d)
	}
	j.squares.close(d)
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
	j := job{dx: pointer(dx, 3*p), x: pointer(x, 3*p), tv: tv, priorWeight: priorWeight, read: read}
	if prior != nil {
		j.prior, j.w = pointer(prior, 3*p), pointer(w, p)
	}
	e.device.do(func() {
		if !read {
			e.j.recorders[0].do(e.device, j, e.launchDescent)
			return
		}
		e.j.recorders[1].do(e.device, j, e.launchDescent)
		e.readValues(j)
	})
	return e.j.last
}

// launchDescent does all of Descend but to read the values.
func (e *Evaluator) launchDescent(j job) {
	e.activateAll(j.x)
	for i := range e.taps {
		e.weighTap(i, j.read)
	}
	e.descend(j.dx)
	if j.tv != 0 {
		e.tv(j.dx, j.x, j.tv, e.value(2*len(e.taps), j.read))
	}
	if j.prior != 0 {
		e.prior(j.dx, j.x, j.prior, j.w, j.priorWeight, e.value(2*len(e.taps)+1, j.read))
	}
	if j.read {
		e.device.copy(e.j.values, e.taps[0].content, 8*int64(len(e.taps)))
	}
}

// forget is called before anything changes that recorded launches rely on.
func (e *Evaluator) forget() {
	for i := range e.j.recorders {
		e.j.recorders[i].forget(e.device)
	}
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
	delta, half, product := e.j.squares.at[0], e.j.squares.at[1], e.j.squares.at[2]
	e.elements("style_delta", n*n, delta, j.target, t.gram, n, t.c, scale)
	if j.measured {
		e.device.product(half, delta, j.metric, n)
		e.device.product(product, j.metric, half, n)
	} else {
		product = delta
	}
	e.elements("style_gradient", n*n, t.dgram, product, delta, n, -j.style, e.partial)
	if read {
		e.addUp(1, vectorGrid(n*n), 1, e.value(len(e.taps)+i, read))
	}
}

// readValues waits for the values; what was not computed is 0.
func (e *Evaluator) readValues(j job) {
	k := len(e.taps)
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
	if j.tv != 0 {
		v.TV = all[2*k]
	}
	if j.prior != 0 {
		v.Prior = all[2*k+1]
	}
}
