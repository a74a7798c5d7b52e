package weights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// array is a tensor to be written.
type array struct {
	name  string
	dtype DType // F32 or F16
	shape []int
	data  []float32
}

// writeSafetensors writes path whole or not at all. Equal tensors and metadata
// give equal bytes: F32 before F16 (so that all are aligned), then by name.
func writeSafetensors(path string, arrays []array, metadata map[string]string) error {
	return writeWhole(path, func(w io.Writer) error { return encodeSafetensors(w, arrays, metadata) })
}

func encodeSafetensors(w io.Writer, arrays []array, metadata map[string]string) error {
	arrays = slices.Clone(arrays)
	slices.SortFunc(arrays, func(a, b array) int {
		if a.dtype != b.dtype {
			return -strings.Compare(string(a.dtype), string(b.dtype))
		}
		return strings.Compare(a.name, b.name)
	})
	header, at := map[string]any{"__metadata__": metadata}, uint64(0) // Marshal sorts the keys
	for _, a := range arrays {
		e := entry{DType: a.dtype, Shape: []uint64{}}
		for _, d := range a.shape {
			e.Shape = append(e.Shape, uint64(d))
		}
		end := at + a.dtype.size()*uint64(len(a.data))
		e.Offsets = []uint64{at, end}
		header[a.name], at = e, end
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	text = append(text, bytes.Repeat([]byte{' '}, -len(text)&7)...)
	if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, a := range arrays {
		if err := a.encode(w); err != nil {
			return err
		}
	}
	return nil
}

func (a *array) encode(w io.Writer) error {
	out := make([]byte, 0, a.dtype.size()*uint64(len(a.data)))
	for i, v := range a.data {
		if a.dtype == F32 {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
			continue
		}
		h := floatToHalf(v)
		if h&0x7c00 == 0x7c00 {
			return fmt.Errorf("%s[%d] is %g, which F16 cannot hold; use f32", a.name, i, v)
		}
		out = binary.LittleEndian.AppendUint16(out, h)
	}
	_, err := w.Write(out)
	return err
}

// writeWhole writes .NAME.partial.EXT beside path and renames it to path; on
// failure neither is left behind.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	dir, base := filepath.Split(path)
	ext := filepath.Ext(base)
	partial := dir + "." + strings.TrimSuffix(base, ext) + ".partial" + ext
	f, err := os.OpenFile(partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(partial))
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<20)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	return err
}
