package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nstfilter/filter/engine"
)

// device is one way to compute.
type device struct {
	name string
	isas []string // that --isa may name beside auto
	// list describes those of its kind that are there, numbered from 0, or says why
	// there are none.
	list func() ([]string, error)
	// open takes the nth of them; nil: this program was built without it.
	open   func(n int, isa string, threads int) (engine.Engine, error)
	remedy string // where list or open fails
}

// devices are listed best first.
var devices = slices.Concat([]device{gpus}, native(), portable())

// one is the list of a device that there always is.
func one(name string) func() ([]string, error) {
	return func() ([]string, error) { return []string{name}, nil }
}

// Devices names the engines that this program was built with, best first.
func Devices() []string {
	var names []string
	for _, d := range devices {
		if d.open != nil {
			names = append(names, d.name)
		}
	}
	return names
}

// GPUs describes those that --device cuda and cuda:N can name, by N, or says why
// there are none.
func GPUs() ([]string, error) { return gpus.list() }

// allOf stands for every device of a kind.
const allOf = -1

// parseDevice reads --device: auto, a kind, or cuda:N.
func parseDevice(text string) (kind string, n int, err error) {
	kind, number, numbered := strings.Cut(text, ":")
	known := kind == "auto" || slices.ContainsFunc(devices, func(d device) bool { return d.name == kind })
	if !known || numbered && kind != "cuda" {
		return "", 0, fmt.Errorf("--device %q is not auto or cuda or cuda:N or %s", text, strings.Join(otherThan("cuda", Devices()), " or "))
	}
	if !numbered {
		return kind, allOf, nil
	}
	if n, err = strconv.Atoi(number); err != nil || n < 0 {
		return "", 0, fmt.Errorf("--device %q: GPUs are numbered from 0: write cuda:0", text)
	}
	return kind, n, nil
}

func otherThan(name string, names []string) []string {
	return slices.DeleteFunc(names, func(s string) bool { return s == name })
}

// OpenEngine opens the first engine of those that OpenEngines would.
func OpenEngine(name, isa string, threads int) (engine.Engine, error) {
	engines, _, err := OpenEngines(name, isa, threads, 1)
	if err != nil {
		return nil, err
	}
	return engines[0], nil
}

// OpenEngines opens what --device names, at most so many: all GPUs, or one engine.
// auto is the best device that works and knows the instruction set. isa is what
// --isa names; threads = 0 takes all processors. The notes say which devices are not
// used, and why.
func OpenEngines(name, isa string, threads, most int) (engines []engine.Engine, notes []string, err error) {
	kind, n, err := parseDevice(name)
	if err != nil {
		return nil, nil, UsageError{err}
	}
	var failed error // of the best device
	for _, d := range devices {
		if kind != d.name && (kind != "auto" || isa != "auto" && !slices.Contains(d.isas, isa)) {
			continue
		}
		engines, unused, err := d.take(n, isa, threads, most)
		notes = append(notes, unused...)
		if err == nil {
			return engines, notes, nil
		}
		if errors.As(err, &UsageError{}) {
			return nil, nil, fmt.Errorf("--device %s: %w", name, err)
		}
		notes = append(notes, fmt.Sprintf("%s is not used: %v", d.name, err))
		if failed == nil {
			failed = fmt.Errorf("--device %s: %w: %s", strings.Replace(name, "auto", d.name, 1), err, d.remedy)
		}
	}
	if failed == nil {
		failed = usage("--isa %s: unknown instruction set %q: choose auto, or %s", isa, isa, strings.Join(allISAs(), ", "))
	}
	return nil, nil, failed
}

// allISAs lists what --isa may name.
func allISAs() (names []string) {
	for _, d := range devices {
		names = append(names, d.isas...)
	}
	return names
}

// take opens the nth of the devices there are, or all, at most so many; unused says
// which of several do not work.
func (d *device) take(n int, isa string, threads, most int) (engines []engine.Engine, unused []string, err error) {
	if isa != "auto" && !slices.Contains(d.isas, isa) {
		return nil, nil, usage("--isa %s: %s: leave it at auto", isa, d.choice())
	}
	there, err := d.list()
	if err != nil {
		return nil, nil, err
	}
	if n >= len(there) {
		return nil, nil, usage("there is no %s:%d, but %s", d.name, n, strings.Join(there, "; "))
	}
	var failed error // of the first
	for i := range there {
		if n != allOf && i != n || len(engines) == most {
			continue
		}
		e, err := d.open(i, isa, threads)
		if err != nil {
			failed = cmp.Or(failed, err)
			unused = append(unused, fmt.Sprintf("%s:%d is not used: %v", d.name, i, err))
			continue
		}
		engines = append(engines, e)
	}
	if len(engines) == 0 {
		return nil, nil, failed
	}
	return engines, unused, nil
}

// choice says which instruction sets a device has.
func (d *device) choice() string {
	if len(d.isas) == 0 {
		return d.name + " has no instruction sets to choose from"
	}
	return d.name + " has " + strings.Join(d.isas, ", ")
}

// cudaISAs are the ways in which GPUs multiply: on ordinary cores and on tensor cores.
var cudaISAs = []string{"simt", "tensor"}
