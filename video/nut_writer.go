package video

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"nstfilter/filter"
)

// NUTWriter writes one stream of raw video and flushes after each frame. It is a
// pipeline.Writer.
type NUTWriter struct {
	w   *bufio.Writer
	h   NUTHeader
	e   encoder
	err error

	written  int64 // bytes; 0 before the header
	lastSync int64 // position of the last syncpoint; 0: none
	packet   []byte
}

// NewNUTWriter writes nothing before the first frame.
func NewNUTWriter(w io.Writer, h NUTHeader) *NUTWriter {
	return &NUTWriter{w: bufio.NewWriterSize(w, 1<<16), h: h, e: encoder{layout: h.Layout}}
}

func (n *NUTWriter) header() {
	if n.written > 0 {
		return
	}
	main := appendVarints(nil,
		3, 1, 65536, // version, streams, max_distance
		1, uint64(n.h.TimeBase.Num), uint64(n.h.TimeBase.Den),
		// Frame codes in runs: flags, fields, pts, multiplier, stream, size, reserved,
		// count. Code 0 is invalid, 'N' is none. All others are alike: the frame's
		// header gives every value.
		nutInvalid, 6, 0, 1, 0, 0, 0, 1,
		nutKey|nutCodedPTS|nutSizeMSB|nutChecksum, 6, 0, 1, 0, 0, 0, 254,
		0) // no elided headers
	stream := appendVarints(nil, 0, 0, 4) // id, class video
	stream = append(stream, nutFourCC(n.h.Format)...)
	stream = appendVarints(stream,
		0, 0, 1<<20, 0, 0, 0, // timebase, msb_pts_shift (PTS are whole), max_pts_distance, decode_delay, flags, no extra data
		uint64(n.h.W), uint64(n.h.H), uint64(n.h.SAR.Num), uint64(n.h.SAR.Den), nutColourspace(&n.h.Layout))
	b := append([]byte(nil), nutMagic...)
	b = appendPacket(b, nutMain, main)
	b = appendPacket(b, nutStream, stream)
	if n.h.Rate.Num > 0 && n.h.Rate.Den > 0 {
		text := fmt.Sprintf("%d/%d", n.h.Rate.Num, n.h.Rate.Den)
		info := appendVarints(nil, 1, 0, 0, 0, 1, uint64(len(nutRate))) // stream 0, no chapter, one field
		info = append(info, nutRate...)
		info = appendVarints(info, 2, uint64(len(text))) // of kind −1: text
		b = appendPacket(b, nutInfo, append(info, text...))
	}
	n.w.Write(b)
	n.written = int64(len(b))
}

// WriteFrame writes f and flushes. It converts f's PTS to the header's timebase; a PTS below
// 0 is an error. f must have the header's size.
func (n *NUTWriter) WriteFrame(f *filter.Frame) error {
	if n.err != nil {
		return n.err
	}
	data, err := n.e.encode(f)
	if err != nil {
		return fmt.Errorf("nut: %w", err)
	}
	return n.writeSamples(f, data)
}

// writeSamples writes the samples of a frame as encode returns them, at f's PTS.
func (n *NUTWriter) writeSamples(f *filter.Frame, data []byte) error {
	if want := n.h.Format.FrameBytes(n.h.W, n.h.H); int64(len(data)) != want {
		return fmt.Errorf("nut: frame %d has %d bytes, want %d", f.Index, len(data), want)
	}
	pts, ok := rescale(f.PTS, f.TimeBase, n.h.TimeBase)
	if !ok || pts < 0 {
		return fmt.Errorf("nut: frame %d: time %d × %d/%d s cannot be written", f.Index, f.PTS, f.TimeBase.Num, f.TimeBase.Den)
	}
	n.header()
	back := int64(0) // to the syncpoint before, in units of 16 bytes
	if n.lastSync > 0 {
		back = (n.written - n.lastSync) / 16
	}
	n.lastSync = n.written
	b := appendPacket(n.packet[:0], nutSyncpoint, appendVarints(nil, uint64(pts), uint64(back)))
	frame := len(b)
	b = append(b, 1)                                       // frame code
	b = appendVarints(b, uint64(pts)+1, uint64(len(data))) // + 1 << msb_pts_shift: PTS in full
	b = binary.BigEndian.AppendUint32(b, nutCRC(0, b[frame:]))
	n.packet = b
	n.w.Write(b)
	n.w.Write(data)
	n.written += int64(len(b) + len(data))
	if err := n.w.Flush(); err != nil {
		n.err = fmt.Errorf("nut: writing frame %d: %w", f.Index, err)
	}
	return n.err
}

// Close writes the headers of a stream without frames. It does not close the
// underlying writer.
func (n *NUTWriter) Close() error {
	if n.err != nil {
		return n.err
	}
	n.header()
	return n.w.Flush()
}

// Abort does nothing: the stream ends with the last whole frame.
func (n *NUTWriter) Abort() {}
