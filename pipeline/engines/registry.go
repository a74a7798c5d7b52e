package engines

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nstfilter/filter/engine"
	"nstfilter/filter/limits"
)

// Device is one kind of device to compute on.
type Device struct {
	Name string
	ISAs []string // that --isa may name, beside auto
	// List describes the devices of this kind on this machine, numbered from 0, or
	// returns why there are none.
	List func() ([]string, error)
	// Open opens the nth of them. It is nil if this program was built without it.
	Open   func(n int, isa string, threads int) (engine.Engine, error)
	Remedy string // what to do if List or Open fails
}

// Registry is a list of kinds of devices, best first.
type Registry []Device

// Builtin lists the devices. Each device's file, if its build tags let it in, gives it List
// and Open.
var Builtin = Registry{
	notBuilt("cuda", "make build-cuda builds one with it", "simt", "tensor"), // simt: ordinary cores
	notBuilt("cpu", "build it with cgo, or choose --device gorgonia", "avx512", "avx2", "neon", "plain"),
	notBuilt("gorgonia", "choose --device cpu"),
}

func notBuilt(name, remedy string, isas ...string) Device {
	return Device{Name: name, ISAs: isas, Remedy: remedy, List: func() ([]string, error) {
		return nil, errors.New("this program was built without it")
	}}
}

// add gives a device of Builtin what opens it.
func add(name string, list func() ([]string, error), open func(n int, isa string, threads int) (engine.Engine, error), remedy string) {
	d := Builtin.named(name)
	d.List, d.Open, d.Remedy = list, open, remedy
}

func (r Registry) named(name string) *Device {
	return &r[slices.IndexFunc(r, func(d Device) bool { return d.Name == name })]
}

// ChoiceError says that --device or --isa names what does not exist.
type ChoiceError struct{ Err error }

func (e ChoiceError) Error() string { return e.Err.Error() }
func (e ChoiceError) Unwrap() error { return e.Err }

func choiceError(format string, a ...any) error { return ChoiceError{fmt.Errorf(format, a...)} }

// listOne is the List of a device that every machine has once.
func listOne(name string) func() ([]string, error) {
	return func() ([]string, error) { return []string{name}, nil }
}

// Names returns the devices that this program was built with, best first.
func (r Registry) Names() []string {
	var names []string
	for _, d := range r {
		if d.Open != nil {
			names = append(names, d.Name)
		}
	}
	return names
}

// GPUs describes the GPUs that --device cuda and cuda:N can name, by N, or returns why
// there are none.
func GPUs() ([]string, error) { return Builtin.named("cuda").List() }

// Check reports a text that --device does not accept.
func (r Registry) Check(text string) error {
	_, _, err := r.parse(text)
	return err
}

// everyDevice stands for all devices of a kind.
const everyDevice = -1

// parse reads auto, a kind, or cuda:N.
func (r Registry) parse(text string) (kind string, n int, err error) {
	kind, number, numbered := strings.Cut(text, ":")
	known := kind == "auto" || slices.ContainsFunc(r, func(d Device) bool { return d.Name == kind })
	if !known || numbered && kind != "cuda" {
		others := slices.DeleteFunc(r.Names(), func(s string) bool { return s == "cuda" })
		hint := limits.Hint(kind, append([]string{"auto", "cuda"}, others...))
		if strings.Contains(strings.ToLower(kind), "gpu") {
			hint = `; did you mean "cuda"?`
		}
		return "", 0, choiceError("--device %q is not auto or cuda or cuda:N or %s%s", text, strings.Join(others, " or "), hint)
	}
	if !numbered {
		return kind, everyDevice, nil
	}
	if n, err = strconv.Atoi(number); err != nil || n < 0 {
		return "", 0, choiceError("--device %q: GPUs are numbered from 0: write cuda:0", text)
	}
	return kind, n, nil
}

// OpenOne opens the first of the engines that Open would.
func (r Registry) OpenOne(name, isa string, threads int) (engine.Engine, error) {
	engines, _, err := r.Open(name, isa, threads, 1)
	if err != nil {
		return nil, err
	}
	return engines[0], nil
}

// Open opens the engines that --device names: all GPUs, but at most so many, or one
// engine. auto is the best device that works and has the instruction set. isa is what
// --isa names; threads = 0 takes all processors. The notes say which devices are not
// used, and why. The error is a ChoiceError if the command is wrong.
func (r Registry) Open(name, isa string, threads, most int) (engines []engine.Engine, notes []string, err error) {
	kind, n, err := r.parse(name)
	if err != nil {
		return nil, nil, err
	}
	var failed error // of the best device
	for _, d := range r {
		if kind != d.Name && (kind != "auto" || isa != "auto" && !slices.Contains(d.ISAs, isa)) {
			continue
		}
		engines, unused, err := d.open(n, isa, threads, most)
		notes = append(notes, unused...)
		if err == nil {
			return engines, notes, nil
		}
		if errors.As(err, &ChoiceError{}) {
			return nil, nil, fmt.Errorf("--device %s: %w", name, err)
		}
		notes = append(notes, fmt.Sprintf("%s is not used: %v", d.Name, err))
		if failed == nil {
			failed = fmt.Errorf("--device %s: %w: %s", strings.Replace(name, "auto", d.Name, 1), err, d.Remedy)
		}
	}
	if failed == nil {
		failed = choiceError("--isa %s: unknown instruction set %q: choose auto, or %s%s", isa, isa, strings.Join(r.isas(), ", "), limits.Hint(isa, r.isas()))
	}
	return nil, nil, failed
}

// isas returns what --isa may name.
func (r Registry) isas() (names []string) {
	for _, d := range r {
		names = append(names, d.ISAs...)
	}
	return names
}

// open opens the nth device of this kind, or every one, but at most so many. unused says
// which of them do not work.
func (d *Device) open(n int, isa string, threads, most int) (engines []engine.Engine, unused []string, err error) {
	if isa != "auto" && !slices.Contains(d.ISAs, isa) {
		return nil, nil, choiceError("--isa %s: %s: leave it at auto", isa, d.isaChoice())
	}
	there, err := d.List()
	if err != nil {
		return nil, nil, err
	}
	if n >= len(there) {
		return nil, nil, choiceError("there is no %s:%d, but %s", d.Name, n, strings.Join(there, "; "))
	}
	var failed error // of the first that does not work
	for i := range there {
		if n != everyDevice && i != n || len(engines) == most {
			continue
		}
		e, err := d.Open(i, isa, threads)
		if err != nil {
			failed = cmp.Or(failed, err)
			unused = append(unused, fmt.Sprintf("%s:%d is not used: %v", d.Name, i, err))
			continue
		}
		engines = append(engines, e)
	}
	if len(engines) == 0 {
		return nil, nil, failed
	}
	return engines, unused, nil
}

// isaChoice says which instruction sets a device has.
func (d *Device) isaChoice() string {
	if len(d.ISAs) == 0 {
		return d.Name + " has no instruction sets to choose from"
	}
	return d.Name + " has " + strings.Join(d.ISAs, ", ")
}
