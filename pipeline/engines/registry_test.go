package engines

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
)

// withGPUs returns a registry whose cuda has these GPUs, nil for one that does not open,
// and an engine named slow beside them.
func withGPUs(engines ...engine.Engine) Registry {
	d := Device{Name: "cuda", ISAs: Builtin.named("cuda").ISAs, Remedy: "look after it"}
	d.List = func() (names []string, err error) {
		for i := range engines {
			names = append(names, fmt.Sprintf("cuda:%d: made up", i))
		}
		if len(names) == 0 {
			err = errors.New("none is made up")
		}
		return names, err
	}
	d.Open = func(n int, isa string, _ int) (engine.Engine, error) {
		if engines[n] == nil {
			return nil, errors.New("it sleeps")
		}
		return engines[n], nil
	}
	return Registry{d, {Name: "slow", List: listOne("slow"), Open: func(int, string, int) (engine.Engine, error) {
		return named{enginetest.Reference{}, "slow"}, nil
	}}}
}

type named struct {
	engine.Engine
	name string
}

func (n named) Name() string { return n.name }

func TestOpen(t *testing.T) {
	a, b := named{enginetest.Reference{}, "a"}, named{enginetest.Reference{}, "b"}
	none, two, half, asleep := []engine.Engine{}, []engine.Engine{a, b}, []engine.Engine{nil, b}, []engine.Engine{nil, nil}
	for _, c := range []struct {
		gpus      []engine.Engine
		name, isa string
		most      int
		want      string // names, then notes
		err       string
		usage     bool
	}{
		{two, "auto", "auto", 9, "a b", "", false},
		{two, "auto", "auto", 1, "a", "", false},
		{two, "auto", "tensor", 9, "a b", "", false},
		{two, "cuda", "simt", 9, "a b", "", false},
		{two, "cuda:1", "auto", 9, "b", "", false},
		{two, "slow", "auto", 9, "slow", "", false},
		{two, "cuda:7", "auto", 9, "", "--device cuda:7: there is no cuda:7, but cuda:0: made up; cuda:1: made up", true},
		{two, "cuda:-1", "auto", 9, "", `--device "cuda:-1": GPUs are numbered from 0: write cuda:0`, true},
		{two, "cuda:", "auto", 9, "", `--device "cuda:": GPUs are numbered`, true},
		{two, "slow:0", "auto", 9, "", `--device "slow:0" is not auto or cuda or cuda:N or`, true},
		{two, "slo", "auto", 9, "", `--device "slo" is not auto or cuda or cuda:N or slow; did you mean "slow"?`, true},
		{two, "gpu", "auto", 9, "", `--device "gpu" is not auto or cuda or cuda:N or slow; did you mean "cuda"?`, true},
		{two, "auto", "simd", 9, "", `--isa simd: unknown instruction set "simd": choose auto, or simt, tensor; did you mean "simt"?`, true},
		{two, "abacus", "auto", 9, "", `--device "abacus" is not auto or cuda or cuda:N or`, true},
		{two, "cuda", "avx2", 9, "", "--device cuda: --isa avx2: cuda has simt, tensor: leave it at auto", true},
		{two, "slow", "plain", 9, "", "--device slow: --isa plain: slow has no instruction sets", true},
		{two, "auto", "abacus", 9, "", `--isa abacus: unknown instruction set "abacus": choose auto, or simt, tensor`, true},
		{half, "auto", "auto", 9, "b cuda:0 is not used: it sleeps", "", false},
		{half, "cuda:0", "auto", 9, "", "--device cuda:0: it sleeps: look after it", false},
		{asleep, "cuda", "auto", 9, "", "--device cuda: it sleeps: look after it", false},
		{none, "cuda", "auto", 9, "", "--device cuda: none is made up: look after it", false},
		{none, "cuda:0", "auto", 9, "", "--device cuda:0: none is made up: look after it", false},
		{none, "auto", "tensor", 9, "", "--device cuda: none is made up: look after it", false},
	} {
		engines, notes, err := withGPUs(c.gpus...).Open(c.name, c.isa, 1, c.most)
		var got []string
		for _, e := range engines {
			got = append(got, e.Name())
		}
		got = append(got, notes...)
		if strings.Join(got, " ") != c.want && err == nil {
			t.Errorf("%s, --isa %s: %q, want %q", c.name, c.isa, got, c.want)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) || errors.As(err, &ChoiceError{}) != c.usage {
			t.Errorf("%s, --isa %s: error %v (%T), want %s", c.name, c.isa, err, err, c.err)
		}
	}
}

// Without a GPU auto takes the next device, and the notes say why.
func TestAutoWithoutGPUs(t *testing.T) {
	engines, notes, err := withGPUs().Open("auto", "auto", 1, 9)
	if err != nil || len(engines) != 1 || engines[0].Name() != "slow" {
		t.Errorf("%v, %v", engines, err)
	}
	if want := []string{"cuda is not used: none is made up"}; !slices.Equal(notes, want) {
		t.Errorf("%q, want %q", notes, want)
	}
}
