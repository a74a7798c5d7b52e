package pipeline

import (
	"fmt"
	"io"
	"math"

	"nstfilter/filter"
	"nstfilter/video"
)

// y4mRateWriter writes frames with times as y4m, which has only a frame rate. It keeps every
// frame, and says which is the first that y4m shows half a frame too early or too late.
type y4mRateWriter struct {
	w   io.Writer
	h   video.Y4MHeader // if its Rate is 0, the first two frames' times give it
	say func(string)

	y4m   *video.Y4MWriter // nil until the rate is known
	first *filter.Frame    // kept until the rate is known, else nil
	count int
	begin float64 // seconds
	said  bool
}

func (u *y4mRateWriter) WriteFrame(f *filter.Frame) error {
	at := float64(f.PTS) * float64(f.TimeBase.Num) / float64(f.TimeBase.Den)
	if u.count == 0 {
		u.begin = at
	}
	u.count++
	if u.count == 1 && u.h.Rate.Num == 0 {
		u.first = f
		return nil
	}
	if u.first != nil {
		if ticks := (f.PTS - u.first.PTS) * f.TimeBase.Num; ticks > 0 && ticks <= math.MaxInt32 {
			u.h.Rate = reduceFraction(f.TimeBase.Den, ticks)
		}
		if err := u.flush(); err != nil {
			return err
		}
	}
	rate := float64(u.h.Rate.Num) / float64(u.h.Rate.Den)
	if shown := float64(u.count-1) / rate; !u.said && math.Abs(at-u.begin-shown)*rate > 0.5 {
		u.said = true
		u.say(fmt.Sprintf("stdout: frame %d comes at %.3f s, and y4m, which has no times, shows it at %.3f s (%.6g frames a second): all frames are written, but sound would fall out of step; --output-format nut keeps the times, and -fps_mode cfr in the ffmpeg before the pipe makes them even",
			f.Index, at-u.begin, shown, rate))
	}
	return u.open().WriteFrame(f)
}

// open returns the writer, and makes it if there is none. Without a rate, y4m means 25
// frames a second.
func (u *y4mRateWriter) open() *video.Y4MWriter {
	if u.y4m == nil {
		if u.h.Rate.Num == 0 {
			u.h.Rate = filter.Rational{Num: 25, Den: 1}
		}
		u.y4m = video.NewY4MWriter(u.w, u.h)
	}
	return u.y4m
}

// flush writes the first frame if it is still kept.
func (u *y4mRateWriter) flush() error {
	f := u.first
	u.first = nil
	w := u.open()
	if f == nil {
		return nil
	}
	return w.WriteFrame(f)
}

func (u *y4mRateWriter) Close() error {
	if err := u.flush(); err != nil {
		return err
	}
	return u.y4m.Close()
}

// Abort leaves what is written, and writes the first frame if it is still kept.
func (u *y4mRateWriter) Abort() { u.flush() }

func reduceFraction(a, b int64) filter.Rational {
	g, r := a, b
	for r != 0 {
		g, r = r, g%r
	}
	return filter.Rational{Num: a / g, Den: b / g}
}
