package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
)

// maxPickle is the longest pickle that is read, in bytes: a state_dict has about 100 for each
// tensor.
const maxPickle = 4 << 20

// unpickler reads what torch.save makes of a state_dict, and refuses all else. It builds
// values of Go and calls nothing, whatever the pickle names:
//
//	nil, bool, int64, *big.Int, float64, string    the same in Python
//	tuple                                          tuple
//	*list                                          list
//	*dict                                          dict, OrderedDict
//	class                                          a class or function, by name
//	storage                                        a persistent id: ('storage', …)
//	*torchTensor                                   torch.Tensor, Parameter
type unpickler struct {
	data  []byte // what is left
	stack []any
	marks []int // positions in stack
	memo  map[uint32]any
}

type (
	tuple []any
	list  struct{ items []any }
	dict  struct{ keys, values []any } // in their order; of equal keys all
	class string
)

// storage is memory that tensors lie in.
type storage struct {
	class class // torch.FloatStorage
	key   string
	count int64 // numbers
}

// torchTensor is a view of a storage.
type torchTensor struct {
	storage       storage
	offset        int64 // numbers from the storage's beginning
	shape, stride []int64
}

// classes are those that a state_dict names, and its file.
var classes = []class{
	"collections.OrderedDict", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
	"torch._utils._rebuild_parameter", "torch.nn.parameter.Parameter",
	"torch.FloatStorage", "torch.HalfStorage", "torch.BFloat16Storage", "torch.DoubleStorage",
	"torch.LongStorage", "torch.IntStorage", "torch.ByteStorage", "torch.BoolStorage",
}

var errPickleEnds = errors.New("its pickle ends too early")

// unpickle reads one pickle from the beginning of data and returns what follows it.
func unpickle(data []byte) (value any, rest []byte, err error) {
	u := unpickler{data: data[:min(len(data), maxPickle)], memo: map[uint32]any{}}
	for {
		op, err := u.take(1)
		if err != nil {
			return nil, nil, err
		}
		if op[0] == '.' { // STOP
			value, err := u.pop()
			return value, data[min(len(data), maxPickle)-len(u.data):], err
		}
		if err := u.step(op[0]); err != nil {
			return nil, nil, err
		}
	}
}

// step obeys one opcode, named as in Python's pickletools.
func (u *unpickler) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		p, err := u.take(1)
		if err == nil && p[0] > 3 {
			err = fmt.Errorf("its pickle has protocol %d, only 2 and 3 are read", p[0])
		}
		return err
	case '(': // MARK
		u.marks = append(u.marks, len(u.stack))
	case 'c': // GLOBAL
		return u.global()
	case 'N', 0x88, 0x89, ')', ']', '}': // NONE, NEWTRUE, NEWFALSE, EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT
		u.push(map[byte]any{'N': nil, 0x88: true, 0x89: false, ')': tuple{}, ']': &list{}, '}': &dict{}}[op])
	case 'K', 'M', 'J', 0x8a, 'G', 'X', 'T', 'U':
		return u.literal(op)
	case 'q', 'r', 'h', 'j':
		return u.remember(op)
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		items, err := u.popLast(int(op - 0x84))
		u.push(tuple(slices.Clone(items)))
		return err
	case 't': // TUPLE
		items, err := u.popMarked()
		u.push(tuple(slices.Clone(items)))
		return err
	case 'a', 'e': // APPEND, APPENDS
		return u.appendItems(op == 'e')
	case 's', 'u': // SETITEM, SETITEMS
		return u.setItems(op == 'u')
	case 'Q': // BINPERSID
		return u.persistentID()
	case 'R', 0x81: // REDUCE, NEWOBJ
		return u.call()
	case 'b': // BUILD
		return u.build()
	default:
		return fmt.Errorf("its pickle has the opcode 0x%02x, which no state_dict needs", op)
	}
	return nil
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

// take returns the next n bytes.
func (u *unpickler) take(n int) ([]byte, error) {
	if n < 0 || n > len(u.data) {
		return nil, errPickleEnds
	}
	out := u.data[:n]
	u.data = u.data[n:]
	return out, nil
}

// takeUint returns the next n bytes as a number, little-endian.
func (u *unpickler) takeUint(n int) (uint32, error) {
	b, err := u.take(n)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(append(slices.Clone(b), 0, 0, 0, 0)), nil
}

func (u *unpickler) pop() (any, error) {
	items, err := u.popLast(1)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// popLast takes n values from the stack, above the last mark. They are valid until the next
// push.
func (u *unpickler) popLast(n int) ([]any, error) {
	floor := 0
	if len(u.marks) > 0 {
		floor = u.marks[len(u.marks)-1]
	}
	at := len(u.stack) - n
	if at < floor {
		return nil, errors.New("its pickle takes more from the stack than is there")
	}
	items := u.stack[at:]
	u.stack = u.stack[:at]
	return items, nil
}

// popMarked takes all values above the last mark, and the mark.
func (u *unpickler) popMarked() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, errors.New("its pickle lacks a mark")
	}
	at := u.marks[len(u.marks)-1]
	u.marks = u.marks[:len(u.marks)-1]
	items := u.stack[at:]
	u.stack = u.stack[:at]
	return items, nil
}

// literal pushes a number or a string.
func (u *unpickler) literal(op byte) error {
	size := map[byte]int{'K': 1, 'M': 2, 'J': 4, 0x8a: 1, 'X': 4, 'T': 4, 'U': 1}[op]
	if op == 'G' { // BINFLOAT, the only big-endian one
		b, err := u.take(8)
		if err == nil {
			u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
		return err
	}
	n, err := u.takeUint(size)
	if err != nil {
		return err
	}
	switch op {
	case 'K', 'M': // BININT1, BININT2
		u.push(int64(n))
		return nil
	case 'J': // BININT
		u.push(int64(int32(n)))
		return nil
	}
	text, err := u.take(int(n))
	if err != nil {
		return err
	}
	if op != 0x8a { // BINUNICODE, BINSTRING, SHORT_BINSTRING
		u.push(string(text))
		return nil
	}
	digits := slices.Clone(text) // LONG1: two's complement, little-endian
	slices.Reverse(digits)
	number := new(big.Int).SetBytes(digits)
	if len(digits) > 0 && digits[0] >= 0x80 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(8*len(digits))))
	}
	if number.IsInt64() {
		u.push(number.Int64())
	} else {
		u.push(number)
	}
	return nil
}

// remember writes the top of the stack to the memo, or pushes what is there.
func (u *unpickler) remember(op byte) error {
	size := 1
	if op == 'r' || op == 'j' { // LONG_BINPUT, LONG_BINGET
		size = 4
	}
	n, err := u.takeUint(size)
	switch {
	case err != nil:
		return err
	case op == 'h' || op == 'j':
		v, ok := u.memo[n]
		if !ok {
			return fmt.Errorf("its pickle asks for %d, which it has not remembered", n)
		}
		u.push(v)
	case len(u.stack) == 0:
		return errors.New("its pickle remembers a value that is not there")
	default:
		u.memo[n] = u.stack[len(u.stack)-1]
	}
	return nil
}

// global pushes a class.
func (u *unpickler) global() error {
	var parts [2]string
	for i := range parts {
		line, _, ok := strings.Cut(string(u.data[:min(len(u.data), 200)]), "\n")
		if !ok {
			return errors.New("its pickle has no end of a name")
		}
		parts[i], u.data = line, u.data[len(line)+1:]
	}
	c := class(parts[0] + "." + parts[1])
	if !slices.Contains(classes, c) {
		return fmt.Errorf("its pickle names %q, which no state_dict of tensors needs", string(c))
	}
	u.push(c)
	return nil
}

func (u *unpickler) appendItems(many bool) error {
	items, err := u.popItems(many, 1)
	if err != nil {
		return err
	}
	if len(u.stack) > 0 {
		if l, ok := u.stack[len(u.stack)-1].(*list); ok {
			l.items = append(l.items, items...)
			return nil
		}
	}
	return errors.New("its pickle appends to what is no list")
}

func (u *unpickler) setItems(many bool) error {
	items, err := u.popItems(many, 2)
	if err != nil {
		return err
	}
	if len(u.stack) > 0 && len(items)%2 == 0 {
		if d, ok := u.stack[len(u.stack)-1].(*dict); ok {
			for i := 0; i < len(items); i += 2 {
				d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
			}
			return nil
		}
	}
	return errors.New("its pickle sets items of what is no dictionary")
}

// popItems takes all values above the last mark, or n.
func (u *unpickler) popItems(many bool, n int) ([]any, error) {
	if many {
		return u.popMarked()
	}
	return u.popLast(n)
}

// persistentID pushes the storage ('storage', class, key, location, count), to which old
// files add a view of another storage.
func (u *unpickler) persistentID() error {
	v, err := u.pop()
	if err != nil {
		return err
	}
	t, ok := v.(tuple)
	if !ok || len(t) < 5 || t[0] != "storage" || len(t) > 5 && t[5] != nil {
		return errors.New("its pickle has a persistent id that is no storage of its own")
	}
	c, isClass := t[1].(class)
	key, isText := t[2].(string)
	count, isCount := t[4].(int64)
	if !isClass || !isText || !isCount || !strings.HasSuffix(string(c), "Storage") || count < 0 {
		return errors.New("its pickle has a storage without class, key and length")
	}
	u.push(storage{c, key, count})
	return nil
}

// call makes what one of the classes makes of its arguments.
func (u *unpickler) call() error {
	items, err := u.popLast(2)
	if err != nil {
		return err
	}
	c, isClass := items[0].(class)
	args, isTuple := items[1].(tuple)
	if !isClass || !isTuple {
		return errors.New("its pickle calls what is no class")
	}
	switch c {
	case "collections.OrderedDict":
		if len(args) == 0 {
			u.push(&dict{})
			return nil
		}
	case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
		if t, ok := rebuildTensor(args); ok {
			u.push(t)
			return nil
		}
	case "torch._utils._rebuild_parameter", "torch.nn.parameter.Parameter":
		if len(args) > 0 {
			if t, ok := args[0].(*torchTensor); ok {
				u.push(t)
				return nil
			}
		}
	}
	return fmt.Errorf("its pickle calls %s with arguments that no state_dict gives it", c)
}

// rebuildTensor reads (storage, offset, size, stride, …).
func rebuildTensor(args tuple) (*torchTensor, bool) {
	if len(args) < 4 {
		return nil, false
	}
	t := &torchTensor{}
	var isStorage, isOffset, isSize, isStride bool
	t.storage, isStorage = args[0].(storage)
	t.offset, isOffset = args[1].(int64)
	t.shape, isSize = wholeNumbers(args[2])
	t.stride, isStride = wholeNumbers(args[3])
	return t, isStorage && isOffset && isSize && isStride && len(t.shape) == len(t.stride) && len(t.shape) <= maxRank
}

func wholeNumbers(v any) (out []int64, ok bool) {
	t, ok := v.(tuple)
	for _, x := range t {
		n, isInt := x.(int64)
		out, ok = append(out, n), ok && isInt && n >= 0
	}
	return out, ok
}

// build drops the state that torch gives to dictionaries (_metadata) and old parameters.
func (u *unpickler) build() error {
	if _, err := u.pop(); err != nil {
		return err
	}
	if len(u.stack) > 0 {
		switch u.stack[len(u.stack)-1].(type) {
		case *dict, *torchTensor:
			return nil
		}
	}
	return errors.New("its pickle gives a state to what has none")
}
