package recipe

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Recipe is what made a result. It has no dates, so that the same command makes the same
// bytes, and no folders, which are nobody's business.
type Recipe struct {
	Program       string   // its name and version
	Engine        string   // what computed; two engines do not round alike
	Networks      []string // SHA-256 of each, in hexadecimal
	Options       []string // as flags, --name=value, but for the styles
	Styles        []Style
	Inputs        []string // one; of a sheet, its rows
	OutputOptions string   // what was in brackets behind the output's name
	ByHand        []string // what was changed while it was painted, and when: the options alone do not make it again
	Pattern       string   // of the names of an image sequence's results, if the result is of one
	Sheet         bool     // each input was painted in each style, else the input in all of them
}

// Style is a picture that was painted with.
type Style struct {
	Name   string // and @TIME
	SHA256 string // of the file, in hexadecimal
	Bytes  int64  // the file's length
}

// BaseName returns a path without its folders.
func BaseName(path string) string { return filepath.Base(filepath.Clean(path)) }

// namespace is that of the recipe's properties in XMP.
const namespace = "nstfilter:ns:recipe/1.0/"

const (
	xmpNamespace = "adobe:ns:meta/"
	rdfNamespace = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
)

// XMP returns the recipe as XMP in one line.
func (r *Recipe) XMP() string {
	return `<x:xmpmeta xmlns:x="` + xmpNamespace + `"><rdf:RDF xmlns:rdf="` + rdfNamespace + `">` + r.description() + `</rdf:RDF></x:xmpmeta>`
}

// description returns the recipe as a Description of RDF. All is in one property, because
// editors write simple properties as attributes, which Merge could not take out again.
func (r *Recipe) description() string {
	var b strings.Builder
	b.WriteString(`<rdf:Description xmlns:rdf="` + rdfNamespace + `" rdf:about="" xmlns:nstfilter="` + namespace + `"><nstfilter:made rdf:parseType="Resource">`)
	one := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "<nstfilter:%s>%s</nstfilter:%[1]s>", name, escape(value))
		}
	}
	list := func(name string, values []string) {
		if len(values) == 0 {
			return
		}
		fmt.Fprintf(&b, "<nstfilter:%s><rdf:Seq>", name)
		for _, v := range values {
			fmt.Fprintf(&b, "<rdf:li>%s</rdf:li>", escape(v))
		}
		fmt.Fprintf(&b, "</rdf:Seq></nstfilter:%s>", name)
	}
	var names, hashes []string
	for _, s := range r.Styles {
		names, hashes = append(names, s.Name), append(hashes, fmt.Sprintf("%s %d", s.SHA256, s.Bytes))
	}
	one("program", r.Program)
	one("engine", r.Engine)
	list("networks", r.Networks)
	list("options", r.Options)
	list("styles", names)
	list("hashes", hashes)
	list("inputs", r.Inputs)
	list("byHand", r.ByHand)
	one("outputOptions", r.OutputOptions)
	one("pattern", r.Pattern)
	if r.Sheet {
		one("sheet", "True")
	}
	b.WriteString(`</nstfilter:made></rdf:Description>`)
	return b.String()
}

func escape(s string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s)) // a buffer takes all
	return b.String()
}

var errNotXMP = errors.New("its XMP is malformed")

// fromFields makes a recipe of what parse has read, which may come from a stranger.
func fromFields(fields map[string][]string) (*Recipe, error) {
	one := func(name string) string {
		if v := fields[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	r := &Recipe{
		Program: one("program"), Engine: one("engine"), Networks: fields["networks"], Options: fields["options"],
		Inputs: fields["inputs"], ByHand: fields["byHand"], Pattern: one("pattern"), OutputOptions: one("outputOptions"), Sheet: one("sheet") == "True",
	}
	names, hashes := fields["styles"], fields["hashes"]
	if len(names) != len(hashes) || len(r.Inputs) == 0 || len(r.Inputs) > 1 && !r.Sheet {
		return nil, fmt.Errorf("its record of what made it is damaged: %d inputs, %d styles and %d hashes of styles", len(r.Inputs), len(names), len(hashes))
	}
	for i, name := range names {
		sum, size, _ := strings.Cut(hashes[i], " ")
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil || n < 0 || !isHash(sum) {
			return nil, fmt.Errorf("its record of what made it is damaged: %.80q is no hash of a style", hashes[i])
		}
		r.Styles = append(r.Styles, Style{BaseName(name), sum, n})
	}
	for i, in := range r.Inputs {
		r.Inputs[i] = BaseName(in)
	}
	if r.Pattern != "" {
		r.Pattern = BaseName(r.Pattern)
	}
	return r, nil
}

func isHash(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
