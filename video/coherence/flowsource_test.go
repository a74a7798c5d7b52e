package coherence

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nstfilter/video/flow"
)

func TestFlowFrom(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, w, h int) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := flow.WriteFlo(f, flow.NewField(w, h)); err != nil {
			t.Fatal(err)
		}
	}
	write("forward_0007_0008.flo", 64, 48)
	write("backward_0008_0007.flo", 64, 48)
	write("forward_8_9.flo", 64, 48)
	write("backward_9_8.flo", 32, 20)
	o := DefaultOptions()
	o.FlowFrom = dir
	analyzer, err := NewAnalyzer(o, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "", "backward_9_8.flo is 32×20, the frames are 64×48"} {
		content := scene(64, 48, 0, 0, 1)
		content.Index = i
		a, err := analyzer.Analyze(content)
		if want == "" && (err != nil || a.sceneStart != (i == 0)) {
			t.Errorf("frame %d: %+v, error %v", i, a, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("frame %d: error %v, want %s", i, err, want)
		}
	}
}
