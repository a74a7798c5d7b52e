package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nstfilter/pipeline/recipe"
	"nstfilter/weights"
)

// recipe returns what all results of the job are made by, or nil with --no-record.
func (j *Job) recipe(networks []*weights.Network, styles []timedStyle) (*recipe.Recipe, error) {
	if j.NoRecord {
		return nil, nil
	}
	made := &recipe.Recipe{Program: j.Version, Options: j.Flags}
	for _, n := range networks {
		made.Networks = append(made.Networks, n.SHA256)
	}
	for i, s := range styles {
		style, err := hashStyle(s.file)
		if err != nil {
			return nil, fmt.Errorf("--style %w", err)
		}
		style.Name = filepath.Base(j.Style[i]) // with its time
		made.Styles = append(made.Styles, style)
	}
	return made, nil
}

// hashStyle returns a style's name, length and SHA-256.
func hashStyle(path string) (recipe.Style, error) {
	file, err := os.Open(path)
	if err != nil {
		return recipe.Style{}, err
	}
	defer file.Close()
	h := sha256.New()
	n, err := io.Copy(h, file)
	return recipe.Style{Name: filepath.Base(path), SHA256: hex.EncodeToString(h.Sum(nil)), Bytes: n}, err
}

// recipe returns what the task's results are made by, or nil with --no-record.
func (w *worker) recipe(t paintTask) *recipe.Recipe {
	if w.made == nil {
		return nil
	}
	made := *w.made
	made.Engine = w.decisive["device"]
	made.Inputs, made.OutputOptions = []string{filepath.Base(t.in)}, t.options
	if t.pattern != "" {
		made.Pattern = filepath.Base(t.pattern)
	}
	return &made
}
