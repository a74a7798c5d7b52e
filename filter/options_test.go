package filter

import (
	"encoding"
	"strings"
	"testing"
)

func TestOptionsText(t *testing.T) {
	var l LayerWeights
	if err := l.UnmarshalText([]byte("relu1_1:0.5, relu2_1")); err != nil || l[0].Weight != 0.5 || l[1].Weight != Balanced || l.validate("style-layers") == nil {
		t.Errorf("%v, %v", l, err)
	}
	if b, _ := l.MarshalText(); string(b) != "relu1_1:0.5,relu2_1" {
		t.Errorf("%s", b)
	}
	for _, bad := range []string{"relu1_1:x", "relu1_1:-1", "relu1_1:NaN"} {
		if err := l.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
	var s Size
	if err := s.UnmarshalText([]byte("auto")); err != nil || s != 0 {
		t.Errorf("%v, %v", s, err)
	}
	for _, bad := range []string{"0", "-5", "big"} {
		if err := s.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("size %q accepted", bad)
		}
	}
	o := DefaultOptions()
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	var steps Steps
	if err := steps.UnmarshalText([]byte("70, 25,15")); err != nil || steps.at(0) != 70 || steps.at(2) != 15 || steps.at(9) != 15 {
		t.Errorf("%v, %v", steps, err)
	}
	if b, _ := steps.MarshalText(); string(b) != "70,25,15" {
		t.Errorf("%s", b)
	}
	for _, bad := range []string{"", "1.5", "a", "1,,2"} {
		if err := steps.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("iterations %q accepted", bad)
		}
	}
	if err := l.UnmarshalText([]byte("balanced")); err != nil || len(l) != 5 || l[4] != (LayerWeight{"relu5_1", Balanced}) {
		t.Errorf("%v, %v", l, err)
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"--iterations":     func(o *Options) { o.Iterations = nil },
		"--iterations -1":  func(o *Options) { o.Iterations = Steps{5, -1} },
		"--content-weight": func(o *Options) { o.ContentWeight = nil },
		"--tv-weight -1":   func(o *Options) { o.TVWeight = Numbers{1, -1} },
		"--style-sizes":    func(o *Options) { o.StyleSizes = make(Numbers, 9) },
		"--style-loss":     func(o *Options) { o.StyleLoss = "adversarial" },
		"--layer-reach":    func(o *Options) { o.LayerReach = 0 },
		"relu1_1 has a weight and relu2_1 has none": func(o *Options) { o.StyleLayers = LayerWeights{{"relu1_1", 1}, {"relu2_1", Balanced}} },
	} {
		o := DefaultOptions()
		change(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error on %s, got %v", want, err)
		}
	}
}

// FuzzOptionText: what MarshalText writes of a text that was read is read as the same.
func FuzzOptionText(f *testing.F) {
	for _, seed := range []string{
		"", "auto", "512", "3,1", " 1e-3, .5,0", "NaN,-Inf", "70,25,15", "+5,-1", "1,,2", "balanced", " balanced ",
		"relu1_1:64,relu2_1:16", "relu4_2", "relu1_1:0x1p-2, relu2_1", "relu1_1 :1,,:2", "a:b:1", "relu1_1:-0",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		type value interface {
			encoding.TextMarshaler
			encoding.TextUnmarshaler
		}
		for _, pair := range [][2]value{
			{new(Size), new(Size)}, {new(Numbers), new(Numbers)}, {new(Steps), new(Steps)}, {new(LayerWeights), new(LayerWeights)},
		} {
			if pair[0].UnmarshalText([]byte(text)) != nil {
				continue
			}
			once, _ := pair[0].MarshalText()
			if err := pair[1].UnmarshalText(once); err != nil {
				t.Errorf("%T: %q, read from %q: %v", pair[0], once, text, err)
			}
			if twice, _ := pair[1].MarshalText(); string(twice) != string(once) {
				t.Errorf("%T: %q, read from %q, is read as %q", pair[0], once, text, twice)
			}
		}
		o := DefaultOptions()
		if o.StyleLayers.UnmarshalText([]byte(text)) != nil {
			o.StyleLayers = nil
		}
		_ = o.ContentWeight.UnmarshalText([]byte(text))
		_ = o.Iterations.UnmarshalText([]byte(text))
		if o.Validate() == nil { // then all scales have a number
			o.Iterations.at(100)
			o.ContentWeight.at(100)
		}
	})
}
