package coherence

import (
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/video"
)

// odd is a frame of some format with samples of all values, and a result of it.
func odd(p video.PixelFormat, index int) *PaintedFrame {
	l := video.Layout{Format: p, W: 21, H: 18, Matrix: video.BT709, SAR: filter.Rational{Num: 4, Den: 3}}
	n := &video.Native{Layout: l, Data: make([]byte, p.FrameBytes(l.W, l.H)), Parameters: " Ip", Interlace: "p"}
	for i := range n.Data {
		n.Data[i] = byte(i*37 + index)
		if p.Depth > 8 && i%2 == 1 {
			n.Data[i] &= 1<<(p.Depth-8) - 1
		}
	}
	f := n.Frame()
	f.Index, f.PTS, f.Duration, f.TimeBase = index, int64(index)*1001, 1001, filter.Rational{Num: 1, Den: 30000}
	d := &PaintedFrame{Frame: f, Content: f, Result: f.With(make([]float32, len(f.Pix)))}
	for i := range d.Result.Pix {
		d.Result.Pix[i] = float32(i*257%65536) / 65535
	}
	d.Margin = []float32{-1, 1e-7, 0.123456789, 1}
	return d
}

func TestSpillGivesBackWhatItTook(t *testing.T) {
	s, err := NewSpill(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	gray := filter.NewFrame(16, 17)
	gray.Alpha = make([]float32, 16*17)
	for i := range gray.Pix {
		gray.Pix[i] = float32(i%256) / 255
		gray.Alpha[i%len(gray.Alpha)] = float32(i%256) / 255
	}
	gray.Strength = slices.Clone(gray.Alpha)
	slices.Reverse(gray.Strength)
	gray.Regions = [][]float32{gray.Alpha, gray.Strength}
	gray.Origin = "an origin that stays in memory"
	all := []*PaintedFrame{
		odd(video.PixelFormat{Sampling: video.S420, Depth: 8}, 0), odd(video.PixelFormat{Sampling: video.S420, Depth: 10}, 1), odd(video.PixelFormat{Sampling: video.RGB, Depth: 16}, 2), odd(video.PixelFormat{Sampling: video.Mono, Depth: 8}, 3),
		{Frame: gray, Content: gray, Result: gray.With(odd(video.PixelFormat{Sampling: video.S444, Depth: 8}, 0).Result.Pix[:3*16*17])},
	}
	for range 2 { // the file is used again
		for i, p := range all {
			if err := s.Add(p); err != nil {
				t.Fatal(err)
			}
			if s.Len() != i+1 {
				t.Fatalf("%d frames are held, want %d", s.Len(), i+1)
			}
		}
		for _, i := range []int{4, 0, 2, 3, 1, 0} {
			same(t, s, i, all[i])
		}
		again := odd(video.PixelFormat{Sampling: video.S420, Depth: 10}, 1)
		slices.Reverse(again.Result.Pix)
		again.Margin = []float32{4, 3, 2, 1}
		if err := s.Replace(1, again.Result, again.Margin); err != nil {
			t.Fatal(err)
		}
		same(t, s, 1, again)
		same(t, s, 0, all[0])
		same(t, s, 2, all[2])
		if err := s.Clear(); err != nil || s.Len() != 0 {
			t.Fatalf("%v; %d are held after Clear", err, s.Len())
		}
	}
}

// Frames that are not painted yet wait with what is held of them. The place of one that has gone
// is another's.
func TestSpillKeepsWhatIsHeld(t *testing.T) {
	s, err := NewSpill(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	waits := func(i int) *PaintedFrame {
		p := odd(video.PixelFormat{Sampling: video.S420, Depth: 8}, i)
		p.Held = newHeld(slices.Clone(p.Result.Pix), nil)
		p.Held.Pix[7], p.Held.Trust[7] = float32(i)/65535, 0.2
		p.Result, p.Margin = nil, nil
		return p
	}
	check := func(i, index int) {
		t.Helper()
		got, err := s.At(i)
		want := waits(index)
		if err != nil || got.Result != nil || got.Frame.Index != index || !slices.Equal(got.Content.Pix, want.Content.Pix) ||
			!slices.Equal(got.Held.Pix, want.Held.Pix) || math.Abs(float64(got.Held.Trust[7]-want.Held.Trust[7])) > 1e-5 {
			t.Errorf("frame %d is not what it was: %v", index, err)
		}
	}
	size := WaitingBytes(waits(0).Frame, waits(0).Content.W, waits(0).Content.H)
	for i := range 6 {
		if err := s.Add(waits(i)); err != nil {
			t.Fatal(err)
		}
		if i >= 2 {
			s.Shift()
		}
	}
	check(0, 4)
	check(1, 5)
	if s.end != 3*size {
		t.Errorf("the file has %d bytes for at most three frames of %d", s.end, size)
	}
	if err := s.Hold(0, waits(9).Held); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.At(0); !slices.Equal(got.Held.Pix, waits(9).Held.Pix) {
		t.Error("Hold did not exchange what is held")
	}
	s.Pop()
	if s.Len() != 1 {
		t.Errorf("%d frames wait, want 1", s.Len())
	}
}

func same(t *testing.T, s *Spill, i int, want *PaintedFrame) {
	t.Helper()
	got, err := s.At(i)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Content, want.Content) {
		t.Errorf("frame %d: %v of another content", i, got.Content.Origin)
	}
	if got, want := got.Frame.Strength, want.Frame.Strength; !slices.Equal(got, want) {
		t.Errorf("frame %d: another strength", i)
	}
	if got, want := got.Frame.Regions, want.Frame.Regions; !reflect.DeepEqual(got, want) {
		t.Errorf("frame %d: other regions", i)
	}
	if !reflect.DeepEqual(got.Margin, want.Margin) || got.Result.Origin != got.Content.Origin || got.Result.PTS != want.Result.PTS {
		t.Errorf("frame %d: another margin or origin", i)
	}
	for k, v := range want.Result.Pix {
		if got.Result.Pix[k] != v {
			t.Fatalf("frame %d: sample %d is %g, was %g", i, k, got.Result.Pix[k], v)
		}
	}
}

func TestSpillRoom(t *testing.T) {
	dir := t.TempDir()
	p := odd(video.PixelFormat{Sampling: video.S420, Depth: 8}, 0)
	_, sizes := partSizes(p)
	size := sumSizes(sizes[:])
	s, err := NewSpill(dir, 2*size+size/2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if room := s.Room(p.Frame); room != (i < 2) {
			t.Fatalf("with %d frames there is room: %v", i, room)
		}
		if i < 2 {
			if err := s.Add(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if info, err := s.file.Stat(); err != nil || info.Size() != 2*size {
		t.Errorf("two frames of %d bytes take %d, %v", size, info.Size(), err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	small, err := NewSpill(dir, size-1)
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	if err := small.Add(p); err == nil || !strings.Contains(err.Error(), "--max-temp") {
		t.Errorf("one that is too large: %v", err)
	}
	if _, err := NewSpill(dir+"/none", 1); err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("no folder: %v", err)
	}
}
