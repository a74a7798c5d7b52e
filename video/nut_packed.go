package video

// nutPacked is a layout of raw video that is not planar, by ffmpeg's tag in NUT. It is read
// as the planar format with the same samples.
type nutPacked struct {
	format   PixelFormat
	step     int    // samples of a pixel, or 0
	at       [4]int // where R, G, B and alpha are among them
	swapped  bool   // of pairs of Cb and Cr: Cr comes first
	coloured bool   // by a palette of 256 times B, G, R, A behind the samples
}

var nutPackings = func() map[string]nutPacked {
	rgb, rgba := PixelFormat{RGB, 8, false}, PixelFormat{RGB, 8, true}
	deep, deepAlpha := PixelFormat{RGB, 16, false}, PixelFormat{RGB, 16, true}
	return map[string]nutPacked{
		"RGB\x18": {format: rgb, step: 3, at: [4]int{0, 1, 2}},
		"BGR\x18": {format: rgb, step: 3, at: [4]int{2, 1, 0}},
		"RGB\x00": {format: rgb, step: 4, at: [4]int{0, 1, 2}},
		"BGR\x00": {format: rgb, step: 4, at: [4]int{2, 1, 0}},
		"\x00RGB": {format: rgb, step: 4, at: [4]int{1, 2, 3}},
		"\x00BGR": {format: rgb, step: 4, at: [4]int{3, 2, 1}},
		"RGBA":    {format: rgba, step: 4, at: [4]int{0, 1, 2, 3}},
		"BGRA":    {format: rgba, step: 4, at: [4]int{2, 1, 0, 3}},
		"ARGB":    {format: rgba, step: 4, at: [4]int{1, 2, 3, 0}},
		"ABGR":    {format: rgba, step: 4, at: [4]int{3, 2, 1, 0}},
		"RGB0":    {format: deep, step: 3, at: [4]int{0, 1, 2}},
		"BGR0":    {format: deep, step: 3, at: [4]int{2, 1, 0}},
		"RBA@":    {format: deepAlpha, step: 4, at: [4]int{0, 1, 2, 3}},
		"BRA@":    {format: deepAlpha, step: 4, at: [4]int{2, 1, 0, 3}},
		"PAL\x08": {format: rgba, coloured: true},
		"NV12":    {format: PixelFormat{S420, 8, false}},
		"NV21":    {format: PixelFormat{S420, 8, false}, swapped: true},
	}
}()

// frameBytes is the size of a frame of w×h.
func (p *nutPacked) frameBytes(w, h int) int64 {
	pixels := int64(w) * int64(h)
	switch {
	case p.coloured:
		return pixels + 4*256
	case p.step > 0:
		return pixels * int64(p.step*p.format.bytesPerSample())
	}
	return p.format.FrameBytes(w, h)
}

// planar takes a frame of frameBytes apart.
func (p *nutPacked) planar(src []byte, w, h int) []byte {
	l := Layout{W: w, H: h, Format: p.format}
	dst := make([]byte, p.format.FrameBytes(w, h))
	if p.step == 0 && !p.coloured { // Y, and pairs of Cb and Cr
		n := copy(dst, src[:w*h])
		cb, _, _ := l.plane(dst, 1)
		cr, _, _ := l.plane(dst, 2)
		if p.swapped {
			cb, cr = cr, cb
		}
		for i := range cb {
			cb[i], cr[i] = src[n+2*i], src[n+2*i+1]
		}
		return dst
	}
	planes := []int{2, 0, 1} // of R, G, B
	if p.format.Alpha {
		planes = append(planes, alphaPlane)
	}
	size := p.format.bytesPerSample()
	for c, plane := range planes {
		to, _, _ := l.plane(dst, plane)
		if p.coloured {
			palette := src[w*h:]
			for i, index := range src[:w*h] {
				to[i] = palette[4*int(index)+[...]int{2, 1, 0, 3}[c]]
			}
			continue
		}
		for i := 0; i < w*h; i++ {
			copy(to[i*size:(i+1)*size], src[(i*p.step+p.at[c])*size:])
		}
	}
	return dst
}
