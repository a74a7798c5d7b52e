package coherence

import (
	"nstfilter/video"
	"nstfilter/video/flow"
)

// desk is where pictures are worked on: threads, and memory that is used again, for
// making it is a good part of the work on large ones. It is for one goroutine at a
// time.
type pool struct {
	threads int
	warper  *flow.Warper
	free    map[int][][]float32 // by length
}

// newDesk: 0 threads are as many as there are processors.
func newPool(threads int) *pool {
	threads = video.Threads(threads)
	return &pool{threads: threads, warper: flow.NewWarper(threads), free: map[int][][]float32{}}
}

// take gives memory for n samples, with whatever is in it.
func (p *pool) get(n int) []float32 {
	all := p.free[n]
	if len(all) == 0 {
		return make([]float32, n)
	}
	p.free[n] = all[:len(all)-1]
	return all[len(all)-1]
}

// leave gives memory back, where there is any.
func (p *pool) put(all ...[]float32) {
	for _, s := range all {
		if s != nil {
			p.free[len(s)] = append(p.free[len(s)], s)
		}
	}
}

// bands runs do over [0,n), in a band for each thread.
func (p *pool) bands(n int, do func(from, to int)) { video.Bands(p.threads, n, do) }

// boxMean is flow.BoxMean.
func (p *pool) boxMean(dst, src []float32, w, h, r int) {
	scratch := p.get(w * h)
	flow.BoxMean(dst, src, scratch, w, h, r, p.threads)
	p.put(scratch)
}

// planes are three of n samples each, from one on to another.
func planes(pix []float32, n, from, to int) (r, g, b []float32) {
	return pix[from:to], pix[n+from : n+to], pix[2*n+from : 2*n+to]
}

// mean is that of term(i) over i in [0,n), summed over fixed blocks in their order.
func (p *pool) mean(n int, term func(i int) float64) (sum float64) {
	const block = 1 << 14
	sums := make([]float64, (n+block-1)/block)
	p.bands(len(sums), func(from, to int) {
		for k := from; k < to; k++ {
			for i := k * block; i < min((k+1)*block, n); i++ {
				sums[k] += term(i)
			}
		}
	})
	for _, s := range sums {
		sum += s
	}
	return sum / float64(n)
}
