package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"nstfilter/filter/limits"
)

// BeforeResolve gives kong the values of --preset for the flags that the command line lacks,
// wherever --preset stands among them.
func (c *paintCmd) BeforeResolve(k *kong.Context) error { return resolvePreset(k, "") }

// resolvePreset takes up the preset that the command line names, or the usual one if that is
// not empty.
func resolvePreset(k *kong.Context, usual string) error {
	name := usual
	for _, p := range k.Path {
		if p.Flag != nil && p.Flag.Name == "preset" {
			name = k.FlagValue(p.Flag).(string)
		}
	}
	if name == "" {
		return nil
	}
	preset, err := loadPreset(name)
	if err != nil {
		return err
	}
	k.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		v, ok := preset[f.Name]
		if !ok {
			return nil, nil
		}
		return v, nil
	}))
	return nil
}

// builtinPresets are changes to the defaults, by name. bench/README.md has what draft and
// fine cost and gain.
var builtinPresets = map[string]map[string]any{
	"draft":    {"iterations": "25,6,2", "style-sizes": "1,2", "iterations-per-frame": 3, "stride": "auto"},
	"standard": {}, // the defaults
	"fine": {
		"network": "slim+vgg16", "iterations": "90,40,15,10,8,6", "content-weight": "0.2,0.15,0.1", "iterations-per-frame": 8,
	},
	// Gatys, Ecker, Bethge 2015: white noise, one scale, L-BFGS, summed losses. Their
	// β/α of 1e3 is for a network that is scaled to unit activations. The activations of
	// VGG-16's deep layers are far smaller, and at 1e3 the style does not show.
	"gatys": {
		"init": "random", "min-size": 0, "margin": 0, "parameters": "pixels", "optimizer": "lbfgs", "iterations": "300",
		"loss-scale": "sum", "style-layers": "relu1_1:0.2,relu2_1:0.2,relu3_1:0.2,relu4_1:0.2,relu5_1:0.2",
		"style-loss": "gram", "style-sizes": "1", "layer-reach": 100, "gamut-weight": 0, "no-style-colors": true,
		"content-weight": "1", "style-weight": 1e7, "tv-weight": "0",
	},
}

// loadPreset returns the values of a built-in preset, of one of the user's own, or of
// FILE.json, by flag name.
func loadPreset(name string) (map[string]any, error) {
	if values, ok := builtinPresets[name]; ok {
		return presetValues(name, values)
	}
	file := name
	if !strings.HasSuffix(name, ".json") {
		own, names := ownPresets()
		if !slices.Contains(names, name) {
			known := append(slices.Sorted(maps.Keys(builtinPresets)), names...)
			return nil, fmt.Errorf("--preset %s is none of %s and no .json file%s", name, strings.Join(known, ", "), limits.Hint(name, known))
		}
		file = presetFile(own, name)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--preset %w", err)
	}
	return parsePreset(file, data)
}

// parsePreset reads an object of settings in JSON.
func parsePreset(name string, data []byte) (map[string]any, error) {
	var values map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&values); err != nil {
		return nil, fmt.Errorf("--preset %s: not a JSON object of settings: %w", name, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("--preset %s: more than one JSON value", name)
	}
	return presetValues(name, values)
}

// presetValues returns values as flags have them. It fails for a setting that is unknown, or
// that no preset may have.
func presetValues(name string, values map[string]any) (map[string]any, error) {
	var known, flags []string
	kinds := map[string]reflect.Type{}
	for _, o := range declaredOptions(defaultSettings()) {
		if kinds[o.name] = o.kind; o.preset {
			known = append(known, o.name)
		} else {
			flags = append(flags, o.name)
		}
	}
	preset := map[string]any{}
	for key, v := range values {
		if slices.Contains(flags, key) {
			return nil, fmt.Errorf("--preset %s: %q is no preset's to say: take it out, and give --%s yourself", name, key, key)
		}
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("--preset %s: no setting is named %q%s", name, key, limits.Hint(key, known))
		}
		var err error
		if preset[key], err = presetValue(v, kinds[key]); err != nil {
			return nil, fmt.Errorf("--preset %s: %q %w", name, key, err)
		}
	}
	return preset, nil
}

// presetValue returns a JSON value as kong takes it for an option of this kind.
func presetValue(v any, kind reflect.Type) (any, error) {
	list, isList := v.([]any)
	on, isBool := v.(bool)
	switch {
	case isBool && kind.Kind() == reflect.Bool:
		return on, nil
	case kind.Kind() == reflect.Bool:
		return nil, errors.New("is neither true nor false")
	case isList && kind == reflect.TypeFor[[]string]():
		for _, e := range list {
			if _, ok := e.(string); !ok {
				return nil, errors.New("is a list with something that is no text")
			}
		}
		return list, nil
	case isList:
		return nil, errors.New(`takes no list: write it as on the command line, "100,30"`)
	}
	switch v := v.(type) {
	case string, json.Number, int, float64:
		return fmt.Sprint(v), nil
	}
	return nil, errors.New("is neither text nor a number")
}
