// Package samples has the loops of film's colour conversion, each over one row:
// Rows in Go, which define what they do, and in C. Start with Fastest.
package samples

// Rows are the loops. Lengths are those of dst or of the rows that are changed;
// rows of one call do not overlap.
type Rows interface {
	// Load8 and Load16 (little-endian) are dst = scale·src.
	Load8(dst []float32, src []byte, scale float32)
	Load16(dst []float32, src []byte, scale float32)

	// Mix is dst = share·a + (1−share)·b.
	Mix(dst, a, b []float32, share float32)

	// Centred and Cosited double a row of (len(dst)+1)/2 linearly: sample j lies
	// between 2j and 2j+1, or on 2j.
	Centred(dst, src []float32)
	Cosited(dst, src []float32)

	// RGB turns Y in r, and Cb, Cr in u, v, as stored, to r, g, b in [0,1].
	RGB(r, g, b, u, v []float32, c *FromYCC)

	// Subtract is own = f, taken as in [0,1], less own.
	Subtract(own, f []float32)

	// Luma turns R, G, B in r, g, b into Cr, Y, Cb: Y = kr·R + kg·G + kb·B.
	Luma(r, g, b []float32, c *ToYCC)

	// AddCentred and AddCosited halve a row and add share times that to sum, of
	// (len(row)+1)/2: the mean of 2j and 2j+1, or ¼ ½ ¼ around 2j. A border sample
	// stands for what is beyond it.
	AddCentred(sum, row []float32, share float32)
	AddCosited(sum, row []float32, share float32)

	// Add8 and Add16 write dst = src + round(change·scale), within low … high or,
	// where src is beyond them, no further out than it.
	Add8(dst, src []byte, change []float32, scale float32, low, high int32)
	Add16(dst, src []byte, change []float32, scale float32, low, high int32)

	// Curve looks row's samples, in [0,1], up in a curve, linearly between knots.
	Curve(row []float32, c *Curve)
}

// FromYCC has the coefficients of samples as stored:
//
//	R = Y·(y−Y0)              + RV·(v−C0)
//	G = Y·(y−Y0) + GU·(u−C0) + GV·(v−C0)
//	B = Y·(y−Y0) + BU·(u−C0)
type FromYCC struct{ Y0, C0, Y, RV, GU, GV, BU float32 }

// ToYCC has the weights of luma, and the scales of B−Y and R−Y to Cb and Cr.
type ToYCC struct{ R, G, B, ToB, ToR float32 }

// Knots is the number of a curve's pieces.
const Knots = 1 << 14

// Curve has its values at i/Knots, the last one twice.
type Curve [Knots + 2]float32

// Go has the loops in Go.
type Go struct{}
