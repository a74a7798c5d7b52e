package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"nstfilter/pipeline"
	"nstfilter/pipeline/photo"
	"nstfilter/video/outfile"
)

// ownPresets returns the folder of the user's own presets, and their names. Without a folder
// for settings (HOME is not set) there are none.
func ownPresets() (folder string, names []string) {
	config, err := os.UserConfigDir()
	if err != nil {
		return "", nil
	}
	folder = filepath.Join(config, "nstfilter", "presets")
	files, err := os.ReadDir(folder)
	if err != nil {
		return folder, nil
	}
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".json"); ok && checkPresetName(name) == nil {
			names = append(names, name)
		}
	}
	return folder, names
}

// makePresetFolder makes the folder of ownPresets, for a process that will be confined: it can
// write only into folders that are there. It returns "" if there is none.
func makePresetFolder() string {
	folder, _ := ownPresets()
	if folder == "" || os.MkdirAll(folder, 0o755) != nil {
		return "" // which is said when a preset is saved
	}
	return folder
}

func presetFile(folder, name string) string { return filepath.Join(folder, name+".json") }

// checkPresetName reports a name that no preset of the user's own may have.
func checkPresetName(name string) error {
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r)
	}
	switch {
	case builtinPresets[name] != nil:
		return fmt.Errorf("%s is built in: choose another name than %s", name, strings.Join(slices.Sorted(maps.Keys(builtinPresets)), ", "))
	case strings.IndexFunc(name, odd) >= 0, strings.Trim(name, ".") == "", name[0] == '.', name[0] == '-', strings.HasSuffix(name, ".json"):
		return fmt.Errorf("%q is no name for a preset: take letters, digits, - and _, without .json", name)
	}
	return nil
}

// savePreset writes the settings of a command that differ from the defaults, and that a preset
// may have, as one of the user's own, and returns its file.
func savePreset(name string, s allSettings, mode outfile.Mode) (file string, err error) {
	if err := checkPresetName(name); err != nil {
		return "", pipeline.UsageErrorf("--save-preset %v", err)
	}
	for _, err := range []error{s.Job.Validate(), s.Filter.Validate(), s.Coherence.Validate(), s.Video.Validate()} {
		if err != nil {
			return "", pipeline.UsageError{Err: err}
		}
	}
	values, err := savedSettings(s)
	if err != nil {
		return "", err
	}
	if len(values) == 0 {
		return "", pipeline.UsageErrorf("--save-preset %s: no setting differs from the defaults, so that there is nothing to save: add some", name)
	}
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return "", err
	}
	folder, _ := ownPresets()
	if folder == "" {
		return "", fmt.Errorf("--save-preset %s: there is no folder for settings: set HOME", name)
	}
	file = presetFile(folder, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("--save-preset %w", photo.ExplainFileError(folder, err))
	}
	err = outfile.Write(file, mode, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("--save-preset %w", photo.ExplainWriteError(file, err))
	}
	return file, nil
}

// savedSettings returns what a preset holds of s. Files get their whole paths, for the preset
// is used in other folders.
func savedSettings(s allSettings) (map[string]any, error) {
	values := map[string]any{}
	defaults := declaredOptions(defaultSettings())
	for i, o := range declaredOptions(s) {
		switch {
		case !o.preset || o.value == defaults[i].value:
		case o.name == "style":
			var styles []string
			for _, style := range s.Job.Style {
				path, err := filepath.Abs(style) // @TIME stays behind it
				if err != nil {
					return nil, err
				}
				styles = append(styles, path)
			}
			values[o.name] = styles
		case o.isBool():
			values[o.name] = true
		default:
			values[o.name] = o.value
		}
	}
	if image, ok := strings.CutPrefix(s.Filter.Init, "image:"); ok {
		path, err := filepath.Abs(image)
		if err != nil {
			return nil, err
		}
		values["init"] = "image:" + path
	}
	return values, nil
}
