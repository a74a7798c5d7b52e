package coherence

import (
	"math"
	"slices"
)

// keyPart is a scene, or a part of a long one, with the best keyframes of it.
type keyPart struct {
	scene         int
	start, frames int
	cells         int         // of all its frames
	choices       []keyChoice // choices[j] has j+1 keyframes; one more would show no more
}

type keyChoice struct {
	keys  []chosenKey
	cells int // that they show together
}

type chosenKey struct {
	frame       int // in the part, from 0
	shows, adds int // cells; adds: beyond what the keys before it show
}

// What a keyframe is worth beside the cells that it shows.
const (
	blurCost  = 0.5  // seconds of whole frames that a keyframe without any sharpness costs
	mostBlur  = 0.1  // of the part, which that may cost at most
	delayCost = 0.05 // share of the part that is lost if all frames are as far from their keyframe as the part is long
)

// choosePart finds, for each number of keyframes, those that are best for the frames that t has
// followed. What a keyframe adds to those before it depends only on the last of them, for a point
// that lives at two keyframes lives between them: so the best ones come by dynamic programming.
func choosePart(t *tracks, sharpness []float64, rate float64, scene, start int) keyPart {
	n := len(sharpness)
	p := keyPart{scene: scene, start: start, frames: n, cells: n * t.cells()}
	sums := sumLives(t.lives, t.length, n)
	frames := sharpest(sharpness, int(math.Round(rate*windowLength)))
	costs := blurCosts(frames, sharpness, sums, rate, float64(p.cells))
	perFrame := delayCost * float64(p.cells) / float64(n*n)
	delay := func(from, to int) float64 { // of the frames between two keyframes
		return perFrame * float64((to-from)*(to-from)/4)
	}
	delayAtEnd := func(n int) float64 { return perFrame * float64(n*(n+1)/2) }

	count := len(frames)
	best := make([]float64, count)
	var before [][]int // before[j][i]: the candidate before the last of j+1, which is i; -1: none
	for j := range count {
		layer, from := make([]float64, count), make([]int, count)
		for i, k := range frames {
			layer[i], from[i] = math.Inf(-1), -1
			if j == 0 {
				layer[i] = float64(sums.shows(k)) - costs[i] - delayAtEnd(k)
				continue
			}
			for h := j - 1; h < i; h++ {
				if v := best[h] + float64(sums.adds(frames[h], k)) - costs[i] - delay(frames[h], k); v > layer[i] {
					layer[i], from[i] = v, h
				}
			}
		}
		best, before = layer, append(before, from)
		last := 0
		for i, k := range frames {
			if best[i]-delayAtEnd(n-1-k) > best[last]-delayAtEnd(n-1-frames[last]) {
				last = i
			}
		}
		c := traceKeys(before, last, frames, sums)
		if j > 0 && c.cells <= p.choices[j-1].cells {
			break
		}
		p.choices = append(p.choices, c)
	}
	return p
}

// traceKeys returns the keyframes that end with candidate last.
func traceKeys(before [][]int, last int, frames []int, sums lifeSums) (c keyChoice) {
	for j := len(before) - 1; j >= 0; j-- {
		k, previous := frames[last], -1
		if last = before[j][last]; last >= 0 {
			previous = frames[last]
		}
		c.keys = append(c.keys, chosenKey{k, sums.shows(k), sums.adds(previous, k)})
		c.cells += c.keys[len(c.keys)-1].adds
	}
	slices.Reverse(c.keys)
	return c
}

// lifeSums says which cells frames show: sums[i·length+k] is how many are stood for by points that
// live in both frames i ≤ k.
type lifeSums struct {
	sums   []uint32
	length int
}

// sumLives sums up the lives of points in the first n frames, in place.
func sumLives(lives []uint32, length, n int) lifeSums {
	for a := range n {
		row := lives[a*length:][:n]
		for b := n - 2; b >= 0; b-- {
			row[b] += row[b+1] // last seen in b or later
		}
		if a > 0 {
			above := lives[(a-1)*length:]
			for b := range row {
				row[b] += above[b] // born in a or earlier
			}
		}
	}
	return lifeSums{lives, length}
}

// shows returns how many cells of all frames frame k shows.
func (l lifeSums) shows(k int) int { return l.both(k, k) }

// both returns how many of them frame i shows too.
func (l lifeSums) both(i, k int) int { return int(l.sums[min(i, k)*l.length+max(i, k)]) }

// adds returns how many cells frame k shows and frame before, an earlier one, does not; -1 stands
// for none.
func (l lifeSums) adds(before, k int) int {
	if before < 0 {
		return l.shows(k)
	}
	return l.shows(k) - l.both(before, k)
}

// sharpest returns the candidates: the sharpest frame of each window of about so many.
func sharpest(sharpness []float64, window int) (frames []int) {
	windows := max(1, len(sharpness)/max(1, window))
	for w := range windows {
		from, to := w*len(sharpness)/windows, (w+1)*len(sharpness)/windows
		best := from
		for i := from; i < to; i++ {
			if sharpness[i] > sharpness[best] {
				best = i
			}
		}
		frames = append(frames, best)
	}
	return frames
}

// blurCosts returns, in cells, what it costs that a candidate is less sharp than others, as far as
// they show the same.
func blurCosts(frames []int, sharpness []float64, l lifeSums, rate, cells float64) []float64 {
	most := min(blurCost*rate/float64(len(sharpness)), mostBlur) * cells
	costs := make([]float64, len(frames))
	for i, k := range frames {
		sharpest := sharpness[k]
		for _, other := range frames {
			same := float64(l.both(other, k)) / float64(max(1, l.shows(k)))
			sharpest = max(sharpest, sharpness[k]+same*(sharpness[other]-sharpness[k]))
		}
		if sharpest > 0 {
			costs[i] = most * (1 - sharpness[k]/sharpest)
		}
	}
	return costs
}
