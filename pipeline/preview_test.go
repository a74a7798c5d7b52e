package pipeline

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/pipeline/photo"
	"nstfilter/pipeline/recipe"
)

// postOrder posts to the page at url, and returns the status.
func postOrder(t *testing.T, url, body string) int {
	t.Helper()
	answer, err := http.Post(url+"control", "application/json", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

// madeOf returns the record in a file.
func madeOf(t *testing.T, name string) *recipe.Recipe {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	made, err := recipe.Find(file)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

const twice = `{"factors": {"content": 2, "style": 1, "tv": 1}}`

// What is changed on the page is painted, and the result, which is as with that weight given,
// says that it was changed by hand; to look changes nothing.
func TestChangedByHand(t *testing.T) {
	paint := func(changed float64, preview Preview, body string) (file []byte, made *recipe.Recipe, s Stat) {
		j := batch(t, 1, enginetest.Reference{})
		j.Filter.Iterations = filter.Steps{3}
		for i := range j.Filter.ContentWeight {
			j.Filter.ContentWeight[i] *= changed
		}
		j.Preview = preview
		j.OpenPage = func(url string) {
			if body != "" && postOrder(t, url, body) != http.StatusNoContent {
				t.Error("the order is refused")
			}
		}
		if err := j.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile("stats.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		return readPhoto(t, "out/p0.png"), madeOf(t, "out/p0.png"), s
	}
	plain, record, _ := paint(1, "", "")
	looked, lookedRecord, _ := paint(1, "on", "")
	if string(plain) != string(looked) || len(record.ByHand)+len(lookedRecord.ByHand) > 0 {
		t.Errorf("a page that nobody touched: by hand %q", lookedRecord.ByHand)
	}
	given, _, _ := paint(2, "", "")
	moved, made, stat := paint(1, "on", twice)
	if string(given) != string(moved) || string(given) == string(plain) {
		t.Error("the weight does not act as if it were given")
	}
	const want = "scale 1, step 1: content-weight × 2"
	if strings.Join(made.ByHand, "; ") != want || strings.Join(stat.ByHand, "; ") != want {
		t.Errorf("by hand: %q, in --stats %q", made.ByHand, stat.ByHand)
	}
}

// readPhoto returns the samples of a picture.
func readPhoto(t *testing.T, name string) []byte {
	t.Helper()
	f, err := photo.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, v := range f.Pix {
		out = append(out, byte(v*255+0.5))
	}
	return out
}

// The frames of a sequence that can be gone on with are painted as its command says.
func TestKeptFramesAreNotChangedByHand(t *testing.T) {
	paint := func(noResume, preview bool) (frames map[string][]byte, byHand int) {
		j := batch(t, 0, enginetest.Reference{})
		for i, name := range []string{"f1.png", "f2.png"} {
			if err := photo.Write(name, "", waves(side, side, float64(i))); err != nil {
				t.Fatal(err)
			}
		}
		j.Inputs, j.Output, j.NoResume = []string{"f%d.png"}, "out/%d.png", noResume
		if preview {
			j.Preview = "on"
			j.OpenPage = func(url string) { postOrder(t, url, twice) }
		}
		if err := j.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		frames = map[string][]byte{}
		for name := range results(t) {
			frames[name] = readPhoto(t, "out/"+name)
			byHand += len(madeOf(t, "out/"+name).ByHand)
		}
		return frames, byHand
	}
	same := func(a, b map[string][]byte) bool {
		return maps.EqualFunc(a, b, func(x, y []byte) bool { return string(x) == string(y) })
	}
	plain, _ := paint(false, false)
	kept, byHand := paint(false, true)
	if len(plain) != 2 || !same(plain, kept) || byHand > 0 {
		t.Errorf("%d frames that are kept, %d changes by hand", len(kept), byHand)
	}
	changed, byHand := paint(true, true)
	if same(plain, changed) || byHand != 2 {
		t.Errorf("with --no-resume: %d changes by hand", byHand)
	}
}

func TestPreviewOfSeveralJobs(t *testing.T) {
	j := batch(t, 1, enginetest.Reference{})
	j.Preview, j.Jobs = "on", 2
	if err := j.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--preview with --jobs 2") {
		t.Error(err)
	}
}
