package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// file lays out a safetensors file: header length, header, n bytes of data.
func file(header string, n int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), make([]byte, n)...)
}

var badFiles = map[string]struct {
	data []byte
	want string
}{
	"empty":            {nil, "too few"},
	"huge header":      {binary.LittleEndian.AppendUint64(nil, 1<<40), "over the limit"},
	"header past end":  {binary.LittleEndian.AppendUint64(nil, 9), "longer than the file"},
	"not JSON":         {file(`{"a`, 0), "not JSON"},
	"ends early":       {file(`{"a"`, 0), "wrong at"},
	"array":            {file(`[]`, 0), "where an object should be"},
	"goes on":          {file(`{} {}`, 0), "goes on"},
	"not UTF-8":        {file("{\"\xff\":1}", 0), "not UTF-8"},
	"unknown type":     {file(`{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}`, 8), `"I64"`},
	"no shape":         {file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "no shape"},
	"overflow":         {file(`{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,4],"data_offsets":[0,4]}}`, 4), "larger than the file"},
	"too long a side":  {file(`{"a":{"dtype":"F32","shape":[4294967296,0],"data_offsets":[0,0]}}`, 0), "impossible shape"},
	"negative":         {file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "cannot unmarshal"},
	"past the end":     {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 4), "outside"},
	"backwards":        {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "outside"},
	"one offset":       {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}`, 4), "outside"},
	"wrong size":       {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 8), "needs 8"},
	"overlap":          {file(`{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[2],"data_offsets":[2,6]}}`, 6), "overlaps"},
	"hole":             {file(`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[1],"data_offsets":[4,6]}}`, 6), "belong to no tensor"},
	"data left over":   {file(`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}`, 6), "end at byte 2 of 6"},
	"data cut off":     {file(`{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}`, 6), "larger than the file"},
	"same name twice":  {file(`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"a":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}}`, 4), `named "a"`},
	"metadata twice":   {file(`{"__metadata__":{},"__metadata__":{}}`, 0), "two __metadata__"},
	"metadata key":     {file(`{"__metadata__":{"a":"","a":""}}`, 0), "twice"},
	"metadata number":  {file(`{"__metadata__":{"a":1}}`, 0), "not a string"},
	"metadata no dict": {file(`{"__metadata__":7}`, 0), "where an object should be"},
}

func TestParseRefuses(t *testing.T) {
	for name, c := range badFiles {
		_, err := ParseSafetensors("net.safetensors", c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "net.safetensors: ") || !strings.Contains(err.Error(), "again") {
			t.Errorf("%s: error %v, want one with file, %q and remedy", name, err, c.want)
		}
	}
}

func TestParseKinds(t *testing.T) {
	data := file(`{"h":{"dtype":"F16","shape":[2],"data_offsets":[4,8]},"f":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1,1],"data_offsets":[8,10]},"z":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]},"__metadata__":{"k":"v"}}  `, 0)
	data = binary.LittleEndian.AppendUint32(data, math.Float32bits(1.25))
	data = append(data, 0x00, 0x3c, 0x01, 0x80, 0x80, 0xbf) // 1, −2⁻²⁴; −1
	s, err := ParseSafetensors("x", data)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float32{"f": {1.25}, "h": {1, -0x1p-24}, "b": {-1}, "z": {}}
	for i := range s.Tensors {
		if got := s.Tensors[i].Floats(); !slices.Equal(got, want[s.Tensors[i].Name]) {
			t.Errorf("%s = %v, want %v", s.Tensors[i].Name, got, want[s.Tensors[i].Name])
		}
	}
	if len(s.Tensors) != 4 || s.Metadata["k"] != "v" {
		t.Errorf("got %d tensors, metadata %v", len(s.Tensors), s.Metadata)
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenSafetensors(dir); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("folder: %v", err)
	}
	if _, err := OpenSafetensors(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("missing: %v", err)
	}
	empty := filepath.Join(dir, "empty.safetensors")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSafetensors(empty); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("empty: %v", err)
	}
}

// Every half but NaN survives the way through float32.
func TestHalfRoundTrip(t *testing.T) {
	for h := range 1 << 16 {
		f := halfToFloat(uint16(h))
		if f != f {
			if back := floatToHalf(f); back&0x7c00 != 0x7c00 || back&0x3ff == 0 {
				t.Fatalf("NaN %04x became %04x", h, back)
			}
			continue
		}
		if back := floatToHalf(f); back != uint16(h) {
			t.Fatalf("half %04x is %g is half %04x", h, f, back)
		}
	}
}

func TestHalfRounds(t *testing.T) {
	for _, c := range []struct {
		in  float32
		out uint16
	}{
		{1 + 0x1p-11, 0x3c00}, {1 + 3*0x1p-11, 0x3c02}, {1 + 0x1p-11 + 0x1p-23, 0x3c01}, // ties to even
		{65504, 0x7bff}, {65519.996, 0x7bff}, {65520, 0x7c00}, {-1e9, 0xfc00},
		{0x1p-25, 0}, {0x1.8p-24, 2}, {0x1p-14 - 0x1p-26, 0x0400}, {-0x1p-30, 0x8000},
	} {
		if got := floatToHalf(c.in); got != c.out {
			t.Errorf("%g became %04x, want %04x", c.in, got, c.out)
		}
	}
}

func TestReadsWhatWasWritten(t *testing.T) {
	arrays := []array{
		{"b", F16, []int{3}, []float32{1, 0.5, -2}},
		{"c", F32, []int{1, 2}, []float32{math.Pi, -1e-30}},
		{"a", F16, []int{}, []float32{0.25}},
	}
	var file bytes.Buffer
	if err := encodeSafetensors(&file, arrays, map[string]string{"k": "<v>"}); err != nil {
		t.Fatal(err)
	}
	s, err := ParseSafetensors("x", file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range s.Tensors {
		x := &s.Tensors[i]
		names = append(names, x.Name)
		j := slices.IndexFunc(arrays, func(a array) bool { return a.name == x.Name })
		if !slices.Equal(x.Floats(), arrays[j].data) || !slices.Equal(x.Shape, arrays[j].shape) || x.DType != arrays[j].dtype {
			t.Errorf("%s came back as %v %v %v", x.Name, x.DType, x.Shape, x.Floats())
		}
	}
	if !slices.Equal(names, []string{"c", "a", "b"}) || s.Metadata["k"] != "<v>" {
		t.Errorf("order %v, metadata %v", names, s.Metadata)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// FuzzSafetensors: whatever the bytes, reading ends in an error or in tensors
// that cover the data once and a network that keeps its promises.
func FuzzSafetensors(f *testing.F) {
	for _, c := range badFiles {
		f.Add(c.data)
	}
	var small bytes.Buffer
	if err := encodeSafetensors(&small, tiny().arrays(), tinyMetadata()); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSafetensors("x", data)
		if err != nil {
			return
		}
		total := 0
		for i := range s.Tensors {
			n := 1
			for _, d := range s.Tensors[i].Shape {
				n *= d
			}
			if len(s.Tensors[i].Floats()) != n {
				t.Fatalf("%s of shape %v has %d numbers", s.Tensors[i].Name, s.Tensors[i].Shape, len(s.Tensors[i].Floats()))
			}
			total += len(s.Tensors[i].data)
		}
		if header := int(binary.LittleEndian.Uint64(data)); total != len(data)-8-header {
			t.Fatalf("tensors cover %d bytes of %d", total, len(data)-8-header)
		}
		n, err := s.network()
		if err != nil {
			return
		}
		in := 3
		for _, l := range n.Layers {
			if l.In != in || len(l.Weight) != l.Out*l.In*9 || len(l.Bias) != l.Out || l.Out < 1 {
				t.Fatalf("layer %s: %d to %d channels, %d weights, %d biases", l.Tap(), l.In, l.Out, len(l.Weight), len(l.Bias))
			}
			in = l.Out
		}
	})
}
