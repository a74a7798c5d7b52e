package limits

import (
	"math"
	"testing"
	"time"
)

type options struct {
	Optimizer string        `name:"optimizer" oneof:"adam,lbfgs"`
	Init      string        `name:"init" oneof:"random,image:FILE"`
	Threads   int           `name:"threads" min:"0" max:"1024"`
	Rate      float64       `name:"rate" min:"1e-6" max:"10"`
	Cut       float64       `name:"cut" above:"0" max:"1"`
	Memory    int64         `name:"memory" min:"0"`
	Fade      time.Duration `name:"fade" min:"0s" max:"10s"`
	Weights   []float64     `name:"weights" most:"3" min:"0" max:"1e12"`
	Ages      []int         `name:"ages" min:"1" max:"64"`
	Style     []string      `name:"style"`
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		change func(*options)
		want   string
	}{
		{func(o *options) {}, ""},
		{func(o *options) { o.Optimizer = "x" }, `--optimizer "x" is not adam or lbfgs`},
		{func(o *options) { o.Optimizer = "adam,lbfgs" }, `--optimizer "adam,lbfgs" is not adam or lbfgs`},
		{func(o *options) { o.Optimizer = "adm" }, `--optimizer "adm" is not adam or lbfgs; did you mean "adam"?`},
		{func(o *options) { o.Init = "image:a.png" }, ""},
		{func(o *options) { o.Init = "image:" }, `--init "image:" is not random or image:FILE; did you mean "image:FILE"?`},
		{func(o *options) { o.Threads, o.Cut = 1025, 2 }, "--threads 1025 is not between 0 and 1024"},
		{func(o *options) { o.Threads = 1024 }, ""},
		{func(o *options) { o.Rate = math.NaN() }, "--rate NaN is not between 1e-6 and 10"},
		{func(o *options) { o.Cut = 0 }, "--cut 0 is not above 0 and at most 1"},
		{func(o *options) { o.Cut = math.NaN() }, "--cut NaN is not above 0 and at most 1"},
		{func(o *options) { o.Cut = 1.5 }, "--cut 1.5 is not above 0 and at most 1"},
		{func(o *options) { o.Memory = -1 }, "--memory -1 is below 0"},
		{func(o *options) { o.Fade = -time.Second }, "--fade -1s is not between 0s and 10s"},
		{func(o *options) { o.Fade = 10*time.Second + 1 }, "--fade 10.000000001s is not between 0s and 10s"},
		{func(o *options) { o.Weights = nil }, "--weights has 0 numbers: give 1 to 3"},
		{func(o *options) { o.Weights = make([]float64, 4) }, "--weights has 4 numbers: give 1 to 3"},
		{func(o *options) { o.Weights = []float64{1, math.Inf(1)} }, "--weights +Inf is not between 0 and 1e12"},
		{func(o *options) { o.Ages = []int{1, 65} }, "--ages 65 is not between 1 and 64"},
	} {
		o := options{Optimizer: "adam", Init: "random", Rate: 1, Cut: 1, Weights: []float64{1, 0, 1}}
		c.change(&o)
		got := ""
		if err := Check(&o); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", o, got, c.want)
		}
	}
}
