package tiling

// Scratch sizes two buffers that windows of all shapes share and that a pass over the layers uses
// in turn.
type Scratch struct {
	Bytes [3]int64 // by Slot: the most that anything puts there
	turn  Slot
}

// Slot is a buffer of Scratch: 1, 2, or 0 for none.
type Slot int

// Begin begins a pass, forward or backward.
func (s *Scratch) Begin() { s.turn = 1 }

// Take returns the buffer whose turn it is, for so many bytes. It is valid until the second Take
// after this.
func (s *Scratch) Take(bytes int64) Slot {
	at := s.Borrow(bytes)
	s.turn = 3 - at
	return at
}

// Borrow returns the buffer that the next Take returns. It is valid until then.
func (s *Scratch) Borrow(bytes int64) Slot {
	s.Bytes[s.turn] = max(s.Bytes[s.turn], bytes)
	return s.turn
}
