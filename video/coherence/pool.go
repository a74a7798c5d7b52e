package coherence

import (
	"nstfilter/filter/parallel"
	"nstfilter/video/flow"
)

// pool lends out memory, because allocating it takes a good part of the time on large
// pictures, and knows how many threads to use. It must not be used by two goroutines
// at once.
type pool struct {
	threads int
	warper  *flow.Warper
	free    map[int][][]float32 // by length
}

// newPool returns an empty pool. It uses all processors if threads is 0.
func newPool(threads int) *pool {
	threads = parallel.Threads(threads)
	return &pool{threads: threads, warper: flow.NewWarper(threads), free: map[int][][]float32{}}
}

// get returns a slice of n samples with undefined contents.
func (p *pool) get(n int) []float32 {
	all := p.free[n]
	if len(all) == 0 {
		return make([]float32, n)
	}
	p.free[n] = all[:len(all)-1]
	return all[len(all)-1]
}

// put takes slices back. It ignores nil.
func (p *pool) put(all ...[]float32) {
	for _, s := range all {
		if s != nil {
			p.free[len(s)] = append(p.free[len(s)], s)
		}
	}
}

// bands cuts [0,n) into one band for each thread and runs do on all of them at once.
func (p *pool) bands(n int, do func(from, to int)) { parallel.Bands(p.threads, n, do) }

// boxMean is flow.BoxMean on the pool's threads.
func (p *pool) boxMean(dst, src []float32, w, h, r int) {
	scratch := p.get(w * h)
	flow.BoxMean(dst, src, scratch, w, h, r, p.threads)
	p.put(scratch)
}

// mean averages term(i) over i in [0,n). It sums over fixed blocks in a fixed order,
// so that the mean does not depend on the number of threads.
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
