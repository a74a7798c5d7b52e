package main

import (
	"strings"
	"testing"
)

func TestBuiltinPresets(t *testing.T) {
	for name := range builtinPresets {
		if _, err := loadPreset(name); err != nil {
			t.Error(err)
		}
	}
}

// FuzzPreset: any file ends in an error that names it or in values of known settings that
// kong can read.
func FuzzPreset(f *testing.F) {
	for _, seed := range []string{`{"iterations": "100,30", "tv-weight": 50}`, `{"style": ["a.jpg", "b.jpg@1:30"], "no-style-colors": true}`,
		`{"iteration": 1}`, `{"size": null}`, `{"size": {"a": 1}}`, `{} {}`, `[]`, `null`, ``, `{"size": 1e999}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		preset, err := parsePreset("p.json", []byte(text))
		if err != nil {
			if !strings.Contains(err.Error(), "--preset p.json") {
				t.Errorf("error %v", err)
			}
			return
		}
		for name, v := range preset {
			switch v.(type) {
			case bool, string, []any:
			default:
				t.Errorf("%s is %T", name, v)
			}
		}
	})
}

// A preset may come from a stranger. It reads a style, and names nothing else on the machine.
func TestPresetNamesNothing(t *testing.T) {
	parser, err := newParser(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	placeholders := map[string]string{}
	for _, command := range parser.Model.Children {
		for _, f := range command.Flags {
			placeholders[f.Name] = f.PlaceHolder
		}
	}
	var ofJob []string
	for _, o := range declaredOptions(defaultSettings()) {
		if o.preset && o.group == "job" {
			ofJob = append(ofJob, o.name)
		}
		if p := placeholders[o.name]; o.preset && o.name != "style" && (strings.Contains(p, "FILE") || strings.Contains(p, "DIR")) {
			t.Errorf("a preset may have %s, which names a %s", o.name, p)
		}
		_, err := parsePreset("p.json", []byte(`{"`+o.name+`": "1"}`))
		if refused := err != nil && strings.Contains(err.Error(), "--"+o.name); refused == o.preset {
			t.Errorf("%s: a preset may have it: %v; error %v", o.name, o.preset, err)
		}
	}
	if got := strings.Join(ofJob, " "); got != "style protect network" {
		t.Errorf("of a job a preset may have %s", got)
	}
}

// A value of the wrong kind is named in the words of a preset, not of Go.
func TestPresetKinds(t *testing.T) {
	for text, want := range map[string]string{
		`{"style": ["a.png", "b.png"], "no-audio": true, "seed": 3, "tv-weight": "1,2"}`: "",
		`{"style": "a.png"}`:              "",
		`{"style": ["a.png", 3]}`:         `"style" is a list with something that is no text`,
		`{"iterations": [100, 30]}`:       `"iterations" takes no list: write it as on the command line, "100,30"`,
		`{"size": true}`:                  `"size" is neither text nor a number`,
		`{"size": null}`:                  `"size" is neither text nor a number`,
		`{"no-audio": "maybe"}`:           `"no-audio" is neither true nor false`,
		`{"encoder-options": ["crf=20"]}`: `"encoder-options" takes no list`,
	} {
		_, err := parsePreset("p.json", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), "--preset p.json: "+want)) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}
