package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/edsrzf/mmap-go"
)

// Limits on what a file may claim. maxHeader is the reference implementation's.
const (
	maxHeader = 100_000_000 // bytes
	maxRank   = 8
)

// DType is how a tensor's numbers are stored, little-endian.
type DType string

// The types that are read; F32 and F16 are also written.
const (
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
)

// size is in bytes, 0 for a type that is not read.
func (d DType) size() uint64 {
	switch d {
	case F32:
		return 4
	case F16, BF16:
		return 2
	}
	return 0
}

// Tensor is one named array of a safetensors file, not yet decoded.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	data  []byte // of the file
}

// Safetensors is an open safetensors file: names, shapes and metadata are
// checked and read, numbers are decoded on demand.
//
// The format: header length (uint64, little-endian), JSON header, raw tensors.
type Safetensors struct {
	Name     string // for messages: usually the path
	Metadata map[string]string
	Tensors  []Tensor // in the order of their data
	raw      []byte
	mapped   mmap.MMap
}

// OpenSafetensors maps the file into memory. It must be closed, and its tensors
// not be decoded after that.
func OpenSafetensors(path string) (*Safetensors, error) {
	info, err := os.Stat(path) // before opening: a FIFO would wait for its writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file; give the path of a .safetensors file", path)
	}
	if info.Size() < 8 {
		return nil, broken(path, "%d bytes are too few for a safetensors file", info.Size())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	mapped, err := mmap.Map(f, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be mapped into memory: %w", path, err)
	}
	s, err := ParseSafetensors(path, mapped)
	if err != nil {
		return nil, errors.Join(err, mapped.Unmap())
	}
	s.mapped = mapped
	return s, nil
}

// ParseSafetensors reads the file from memory; name stands for it in messages.
// The result keeps data.
func ParseSafetensors(name string, data []byte) (*Safetensors, error) {
	if len(data) < 8 {
		return nil, broken(name, "%d bytes are too few for a safetensors file", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader {
		return nil, broken(name, "a header of %d bytes is over the limit of %d", n, maxHeader)
	}
	if n > uint64(len(data)-8) {
		return nil, broken(name, "its header of %d bytes is longer than the file of %d", n, len(data))
	}
	s := &Safetensors{Name: name, raw: data}
	if err := s.header(data[8:8+n], data[8+n:]); err != nil {
		return nil, err
	}
	return s, nil
}

// Close unmaps the file.
func (s *Safetensors) Close() error {
	if s.mapped == nil {
		return nil
	}
	s.raw, s.Tensors = nil, nil
	return s.mapped.Unmap()
}

// SHA256 is the whole file's hash, hexadecimal.
func (s *Safetensors) SHA256() string {
	sum := sha256.Sum256(s.raw)
	return hex.EncodeToString(sum[:])
}

// broken is the error of a file that is not what it should be.
func broken(name, format string, args ...any) error {
	return fmt.Errorf("%s: %s; the file is damaged or not in safetensors format: fetch or export it again", name, fmt.Sprintf(format, args...))
}

// entry is one tensor as the header describes it.
type entry struct {
	DType   DType    `json:"dtype"`
	Shape   []uint64 `json:"shape"`
	Offsets []uint64 `json:"data_offsets"`
}

// header reads the JSON, token by token since encoding/json lets the last of two
// equal names win.
func (s *Safetensors) header(text, data []byte) error {
	if !utf8.Valid(text) {
		return broken(s.Name, "its header is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	entries, spans, err := map[string]entry{}, []span(nil), error(nil)
	err = object(dec, func(name string) error {
		if name == "__metadata__" {
			return s.metadata(dec)
		}
		if _, twice := entries[name]; twice {
			return fmt.Errorf("two tensors are named %q", name)
		}
		var e entry
		if err := dec.Decode(&e); err != nil {
			return fmt.Errorf("its header is wrong at %q: %v", name, err)
		}
		sp, err := e.check(name, uint64(len(data)))
		entries[name], spans = e, append(spans, sp)
		return err
	})
	if err == nil {
		if rest := text[dec.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
			err = errors.New("its header goes on after the last brace")
		}
	}
	if err == nil {
		err = tiled(spans, uint64(len(data)))
	}
	if err != nil {
		return broken(s.Name, "%v", err)
	}
	for _, sp := range spans { // in the order of their data
		e := entries[sp.name]
		t := Tensor{Name: sp.name, DType: e.DType, Shape: make([]int, len(e.Shape)), data: data[sp.begin:sp.end]}
		for i, d := range e.Shape {
			t.Shape[i] = int(d)
		}
		s.Tensors = append(s.Tensors, t)
	}
	return nil
}

// object reads {"key": value, …}; value must consume exactly one JSON value.
func object(dec *json.Decoder, value func(key string) error) error {
	switch t, err := dec.Token(); {
	case err != nil:
		return fmt.Errorf("its header is not JSON: %v", err)
	case t != json.Delim('{'):
		return fmt.Errorf("its header has %v where an object should be", t)
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return fmt.Errorf("its header is not JSON: %v", err)
		}
		key, ok := t.(string)
		if !ok {
			return fmt.Errorf("its header has %v where a name should be", t)
		}
		if err := value(key); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("its header is not JSON: %v", err)
	}
	return nil
}

func (s *Safetensors) metadata(dec *json.Decoder) error {
	if s.Metadata != nil {
		return errors.New("it has two __metadata__")
	}
	s.Metadata = map[string]string{}
	return object(dec, func(key string) error {
		if _, twice := s.Metadata[key]; twice {
			return fmt.Errorf("__metadata__ has %q twice", key)
		}
		var value *string
		if err := dec.Decode(&value); err != nil || value == nil {
			return fmt.Errorf("__metadata__.%s is not a string", key)
		}
		s.Metadata[key] = *value
		return nil
	})
}

// span is where a tensor's data lies, in bytes from the end of the header.
type span struct {
	begin, end uint64
	name       string
}

// check compares an entry's offsets with its shape and the data's length.
func (e entry) check(name string, length uint64) (span, error) {
	bytes := e.DType.size()
	if bytes == 0 {
		return span{}, fmt.Errorf("tensor %q holds %q, only F32, F16 and BF16 are read", name, e.DType)
	}
	if e.Shape == nil || len(e.Shape) > maxRank {
		return span{}, fmt.Errorf("tensor %q has no shape of at most %d dimensions", name, maxRank)
	}
	for _, d := range e.Shape {
		if d > math.MaxInt32 {
			return span{}, fmt.Errorf("tensor %q has an impossible shape %v", name, e.Shape)
		}
		if d == 0 {
			bytes = 0 // whatever the other dimensions are
		}
	}
	for _, d := range e.Shape {
		if bytes > 0 && d > length/bytes {
			return span{}, fmt.Errorf("tensor %q of shape %v is larger than the file", name, e.Shape)
		}
		bytes *= d
	}
	if len(e.Offsets) != 2 || e.Offsets[0] > e.Offsets[1] || e.Offsets[1] > length {
		return span{}, fmt.Errorf("tensor %q lies at %v, outside the file's %d bytes of data", name, e.Offsets, length)
	}
	if have := e.Offsets[1] - e.Offsets[0]; have != bytes {
		return span{}, fmt.Errorf("tensor %q has %d bytes, its shape %v needs %d", name, have, e.Shape, bytes)
	}
	return span{e.Offsets[0], e.Offsets[1], name}, nil
}

// tiled sorts the spans and checks that they cover the data once.
func tiled(spans []span, length uint64) error {
	slices.SortFunc(spans, func(a, b span) int {
		switch {
		case a.begin != b.begin:
			return compare(a.begin, b.begin)
		case a.end != b.end:
			return compare(a.end, b.end)
		}
		return strings.Compare(a.name, b.name)
	})
	at := uint64(0)
	for _, sp := range spans {
		switch {
		case sp.begin < at:
			return fmt.Errorf("tensor %q overlaps another", sp.name)
		case sp.begin > at:
			return fmt.Errorf("%d bytes before tensor %q belong to no tensor", sp.begin-at, sp.name)
		}
		at = sp.end
	}
	if at != length {
		return fmt.Errorf("the tensors end at byte %d of %d", at, length)
	}
	return nil
}

func compare(a, b uint64) int {
	if a < b {
		return -1
	}
	return 1
}

// Floats decodes the tensor's numbers, last dimension fastest.
func (t *Tensor) Floats() []float32 {
	out := make([]float32, uint64(len(t.data))/t.DType.size())
	switch t.DType {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.data[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = halfToFloat(binary.LittleEndian.Uint16(t.data[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(t.data[2*i:])) << 16)
		}
	}
	return out
}
