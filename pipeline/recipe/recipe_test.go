package recipe

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

var example = Recipe{
	Program: "nstfilter v1", Engine: "cpu", Networks: []string{strings.Repeat("ab", 32)},
	Options: []string{"--tv-weight=3,4", "--init=image:<&>\"'.png", "--no-style-colors"},
	Styles:  []Style{{"night 'n' day.jpg@00:01:30", strings.Repeat("0f", 32), 12345}, {"夜.png", strings.Repeat("1e", 32), 0}},
	Inputs:  []string{"in.jpg"}, OutputOptions: "Q=90", Pattern: "%05d.png",
	ByHand: []string{"scale 2, step 17: content-weight × 2", "scale 3, step 1: stopped"},
}

// photographed is XMP as a camera and an editor leave it.
const photographed = `<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Toolkit">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">A &lt;title&gt;</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
                         
<?xpacket end="w"?>`

func find(t *testing.T, file string) *Recipe {
	t.Helper()
	r, err := Find(strings.NewReader(file))
	if err != nil {
		t.Fatalf("%v in %.2000s", err, file)
	}
	return r
}

// What is written is found again, among other bytes and across the reader's windows.
func TestFind(t *testing.T) {
	for _, before := range []int{0, 100, 2*maxPacket - 5, 2*maxPacket - 3000, 5 * maxPacket} {
		file := strings.Repeat("<x:xmpmet", before/9+1) + example.XMP() + strings.Repeat("\x00<", 1000)
		if got := find(t, file); !reflect.DeepEqual(*got, example) {
			t.Errorf("behind %d bytes: got %+v, want %+v", before, *got, example)
		}
	}
	for _, none := range []string{"", "<x:xmpmeta", photographed, strings.Repeat("<x:xmpmeta>", 1000) + example.XMP()} {
		if r, err := Find(strings.NewReader(none)); !errors.Is(err, ErrNone) {
			t.Errorf("%.60q: recipe %+v, error %v", none, r, err)
		}
	}
}

// An editor may write the same RDF in other ways.
func TestFindRewritten(t *testing.T) {
	want := Recipe{Program: "p", Inputs: []string{"a.jpg"}, Options: []string{"--x=1", "--y"}}
	for _, text := range []string{
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="` + rdfNamespace + `"><r:Description xmlns:q="` + namespace + `"><q:made><r:Description q:program="p">
			<q:options> <r:Seq> <r:li>--x=1</r:li> <r:li>--y</r:li> </r:Seq> </q:options><q:inputs><r:Seq><r:li>a.jpg</r:li></r:Seq></q:inputs></r:Description></q:made></r:Description></r:RDF></x:xmpmeta>`,
		`<x:xmpmeta><RDF xmlns="` + rdfNamespace + `" xmlns:n="` + namespace + `"><n:made><n:inputs><Bag><li>/home/me/a.jpg</li></Bag></n:inputs><n:program>p</n:program>
			<n:options><Seq><li>--x=1</li><li>--y</li></Seq></n:options></n:made></RDF></x:xmpmeta>`,
	} {
		if got := find(t, text); !reflect.DeepEqual(*got, want) {
			t.Errorf("got %+v, want %+v of %s", *got, want, text)
		}
	}
}

// Merging keeps what is there, replaces an older recipe, and takes it out without a trace.
func TestMerge(t *testing.T) {
	first := example
	first.Program = "older"
	once, err := Merge([]byte(photographed), &first)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Merge(append(once, 0), &example)
	if err != nil {
		t.Fatal(err)
	}
	if got := find(t, string(twice)); !reflect.DeepEqual(*got, example) {
		t.Errorf("got %+v", *got)
	}
	if n := bytes.Count(twice, []byte("<nstfilter:made")); n != 1 || !bytes.Contains(twice, []byte("A &lt;title&gt;")) || !bytes.HasSuffix(twice, []byte(`<?xpacket end="w"?>`)) {
		t.Errorf("%d recipes in %s", n, twice)
	}
	back, err := Merge(twice, nil)
	if err != nil || string(back) != photographed {
		t.Errorf("taken out: %s, error %v", back, err)
	}
	shared := strings.Replace(photographed, "<dc:title>", `<n:made xmlns:n="`+namespace+`"><n:program>x</n:program></n:made><dc:title>`, 1)
	if back, err := Merge([]byte(shared), nil); err != nil || string(back) != photographed {
		t.Errorf("taken out of another's Description: %s, error %v", back, err)
	}
	if alone, err := Merge(nil, &example); err != nil || !reflect.DeepEqual(*find(t, string(alone)), example) {
		t.Errorf("alone: %s, error %v", alone, err)
	}
	if none, err := Merge(nil, nil); err != nil || none != nil {
		t.Errorf("none: %s, error %v", none, err)
	}
	for _, bad := range []string{"x", "<a/>", photographed[:300], `<rdf:RDF xmlns:rdf="` + rdfNamespace + `"/>`} {
		if merged, err := Merge([]byte(bad), &example); err == nil {
			t.Errorf("%q becomes %s", bad, merged)
		}
	}
}

// A damaged recipe is an error that says so, not half a command.
func TestFindDamaged(t *testing.T) {
	whole := example.XMP()
	for _, change := range [][2]string{{"0f0f", "0f0g"}, {" 12345<", " -1<"}, {"<rdf:li>in.jpg</rdf:li>", ""}, {"<rdf:li>in.jpg", "<rdf:li>b.jpg</rdf:li><rdf:li>in.jpg"}, {"<rdf:li>夜.png</rdf:li>", ""}} {
		damaged := strings.Replace(whole, change[0], change[1], 1)
		if damaged == whole {
			t.Fatalf("no %s in %s", change[0], whole)
		}
		if r, err := Find(strings.NewReader(damaged)); err == nil || errors.Is(err, ErrNone) {
			t.Errorf("%v: recipe %+v, error %v", change, r, err)
		}
	}
}

// FuzzFind: any file ends in an error or in a recipe of base names that is found again once
// it is written.
func FuzzFind(f *testing.F) {
	sheet := example
	sheet.Sheet, sheet.Inputs = true, []string{"a.jpg", "b.jpg"}
	for _, seed := range []string{example.XMP(), sheet.XMP(), photographed, "<x:xmpmeta", "<x:xmpmeta/>", `<x:xmpmeta xmlns:n="` + namespace + `" n:inputs="../a"/>`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := Find(bytes.NewReader(file))
		if err != nil {
			return
		}
		for _, name := range r.Inputs {
			if name != BaseName(name) {
				t.Errorf("input %q", name)
			}
		}
		again, err := Find(strings.NewReader(r.XMP()))
		if err != nil {
			t.Fatalf("%v for %+v", err, r)
		}
		if again.XMP() != r.XMP() {
			t.Errorf("%s becomes %s", r.XMP(), again.XMP())
		}
	})
}

// FuzzMerge: what is merged can be merged again, and holds one recipe.
func FuzzMerge(f *testing.F) {
	once, _ := Merge([]byte(photographed), &example)
	for _, seed := range []string{photographed, string(once), "", "<a/>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, existing []byte) {
		merged, err := Merge(existing, &example)
		if err != nil {
			return
		}
		again, err := Merge(merged, &example)
		if err != nil || !bytes.Equal(again, merged) {
			t.Errorf("%v: %s becomes %s", err, merged, again)
		}
	})
}
