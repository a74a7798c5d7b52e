package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
)

// torchFile is a state_dict that torch.save wrote, in one of two formats:
//
//   - since PyTorch 1.6 a zip of data.pkl, the state_dict as a pickle, and data/KEY for each
//     storage;
//   - before that four pickles (magic number, protocol, system, state_dict), a fifth with the
//     storages' keys, and then for each its count (int64) and its numbers.
//
// Numbers are read on demand.
type torchFile struct {
	name    string // for messages
	names   []string
	tensors map[string]*torchTensor
	read    func(storage) ([]byte, error)
}

// torchMagic opens a file of PyTorch before 1.6.
var torchMagic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

// saveAgain is the remedy for a file of another form.
const saveAgain = "load it in PyTorch and save it again: torch.save(model.state_dict(), 'FILE.pth')"

// parseTorch reads the names and shapes. The result keeps data.
func parseTorch(name string, data []byte) (*torchFile, error) {
	f := &torchFile{name: name, tensors: map[string]*torchTensor{}}
	parse := f.parseLegacy
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		parse = f.parseZip
	}
	if err := parse(data); err != nil {
		return nil, fmt.Errorf("%s: %w; it is damaged or no state_dict: fetch it again, or %s", name, err, saveAgain)
	}
	return f, nil
}

func (f *torchFile) parseZip(data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	entries, root := map[string]*zip.File{}, ""
	for _, e := range z.File {
		entries[e.Name] = e
		if before, ok := strings.CutSuffix(e.Name, "data.pkl"); ok {
			root = before
		}
	}
	read := func(name string, most uint64) ([]byte, error) {
		e := entries[root+name]
		if e == nil {
			return nil, fmt.Errorf("it has no %s", root+name)
		}
		if e.Method != zip.Store || e.UncompressedSize64 > most || e.UncompressedSize64 > uint64(len(data)) {
			return nil, fmt.Errorf("%s in it is compressed, or longer than %d bytes", e.Name, most)
		}
		r, err := e.Open()
		if err != nil {
			return nil, err
		}
		out, err := io.ReadAll(r)
		return out, errors.Join(err, r.Close())
	}
	if order, err := read("byteorder", 16); err == nil && string(order) != "little" {
		return fmt.Errorf("its byte order is %q, only little is read", order)
	}
	text, err := read("data.pkl", maxPickle)
	if err != nil {
		return err
	}
	f.read = func(s storage) ([]byte, error) { return read("data/"+s.key, s.bytes()) }
	state, _, err := unpickle(text)
	if err != nil {
		return err
	}
	return f.setState(state)
}

func (f *torchFile) parseLegacy(data []byte) error {
	var values [5]any
	for i := range values {
		var err error
		if values[i], data, err = unpickle(data); err != nil && i == 0 {
			return errors.New("it is no file of torch.save (files before 2017 are tar archives, which are not read)")
		} else if err != nil {
			return err
		}
		if magic, ok := values[0].(*big.Int); !ok || magic.Cmp(torchMagic) != 0 {
			return errors.New("it does not begin like a file of torch.save")
		}
	}
	if values[1] != int64(1001) {
		return errors.New("its protocol is not 1001")
	}
	if system, ok := values[2].(*dict); !ok || system.get("little_endian") != true {
		return errors.New("it does not say that its byte order is little-endian")
	}
	if err := f.setState(values[3]); err != nil {
		return err
	}
	keys, ok := values[4].(*list)
	if !ok {
		return errors.New("it has no list of storages")
	}
	// The length of each storage is known by the tensors that lie in it.
	byKey := map[string]storage{}
	for _, t := range f.tensors {
		byKey[t.storage.key] = t.storage
	}
	bytes := map[string][]byte{}
	for _, k := range keys.items {
		key, _ := k.(string)
		s, ok := byKey[key]
		size := s.bytes()
		if _, twice := bytes[key]; !ok || twice || len(data) < 8 || binary.LittleEndian.Uint64(data) != uint64(s.count) || size > uint64(len(data)-8) {
			return fmt.Errorf("its storage %q is not as long as the state_dict says, or of no tensor", key)
		}
		bytes[key], data = data[8:8+size], data[8+size:]
	}
	f.read = func(s storage) ([]byte, error) {
		if b, ok := bytes[s.key]; ok {
			return b, nil
		}
		return nil, fmt.Errorf("it has no storage %q", s.key)
	}
	return nil
}

// get returns the last value of a key, nil if there is none.
func (d *dict) get(key string) (value any) {
	for i, k := range d.keys {
		if k == key {
			value = d.values[i]
		}
	}
	return value
}

func (f *torchFile) setState(v any) error {
	d, ok := v.(*dict)
	if !ok {
		return errors.New("it holds no state_dict")
	}
	for i, k := range d.keys {
		name, isText := k.(string)
		t, isTensor := d.values[i].(*torchTensor)
		if !isText || !isTensor {
			return fmt.Errorf("its state_dict has at %q what is no tensor", name)
		}
		if f.tensors[name] != nil {
			return fmt.Errorf("its state_dict has %q twice", name)
		}
		f.names, f.tensors[name] = append(f.names, name), t
	}
	return nil
}

// dtype is F32, F16 or BF16; empty for numbers that no layer has.
func (s storage) dtype() DType {
	return map[class]DType{"torch.FloatStorage": F32, "torch.HalfStorage": F16, "torch.BFloat16Storage": BF16}[s.class]
}

// bytes is how long the storage is, at most math.MaxInt64.
func (s storage) bytes() uint64 {
	size := map[class]uint64{"torch.DoubleStorage": 8, "torch.LongStorage": 8, "torch.IntStorage": 4, "torch.ByteStorage": 1, "torch.BoolStorage": 1}[s.class]
	if d := s.dtype(); d != "" {
		size = d.size()
	}
	if uint64(s.count) > math.MaxInt64/max(size, 1) {
		return math.MaxInt64
	}
	return uint64(s.count) * size
}

// array decodes a tensor.
func (f *torchFile) array(name string) (array, error) {
	t := f.tensors[name]
	fail := func(format string, args ...any) (array, error) {
		return array{}, fmt.Errorf("%s: %s %s; %s", f.name, name, fmt.Sprintf(format, args...), saveAgain)
	}
	dtype := t.storage.dtype()
	if dtype == "" {
		return fail("lies in a %s, only float32, float16 and bfloat16 are read", t.storage.class)
	}
	count := int64(1)
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.stride[i] != count {
			return fail("is not contiguous: shape %v, stride %v", t.shape, t.stride)
		}
		if t.shape[i] < 1 || t.shape[i] > t.storage.count/count {
			return fail("of shape %v is larger than its storage, or empty", t.shape)
		}
		count *= t.shape[i]
	}
	if t.offset > t.storage.count-count {
		return fail("ends behind its storage of %d numbers", t.storage.count)
	}
	data, err := f.read(t.storage)
	if err != nil {
		return fail("cannot be read: %v", err)
	}
	size := dtype.size()
	if uint64(len(data)) != t.storage.bytes() {
		return fail("has %d bytes where %d should be", len(data), t.storage.bytes())
	}
	out := array{name: name, dtype: F32}
	if dtype == F16 {
		out.dtype = F16
	}
	for _, d := range t.shape {
		out.shape = append(out.shape, int(d))
	}
	part := Tensor{DType: dtype, data: data[uint64(t.offset)*size:][:uint64(count)*size]}
	out.data = part.Floats()
	return out, nil
}
