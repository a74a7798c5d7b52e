package recipe

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// What Find takes of a file from a stranger: the length of a packet in bytes, how deep its
// elements are nested, and how many packets are looked at.
const (
	maxPacket  = 1 << 20
	maxDepth   = 32
	maxPackets = 64
)

// ErrNone means that a file has no recipe.
var ErrNone = errors.New("it has no record of what made it")

// Find returns the recipe in a file. It knows no formats: like the scanners that XMP allows
// for (XMP Specification Part 3, "packet scanning"), it looks for the packet in the bytes.
// Without a recipe it returns ErrNone.
func Find(r io.Reader) (*Recipe, error) {
	start := []byte("<x:xmpmeta")
	in := bufio.NewReaderSize(r, 2*maxPacket)
	for range maxPackets {
		for {
			window, err := in.Peek(2 * maxPacket)
			if err != nil && err != io.EOF {
				return nil, err
			}
			if i := bytes.Index(window, start); i >= 0 {
				in.Discard(i)
				break
			}
			if err == io.EOF {
				return nil, ErrNone
			}
			in.Discard(len(window) - len(start) + 1)
		}
		packet, err := in.Peek(maxPacket)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if fields, err := parse(packet); err == nil && len(fields) > 0 {
			return fromFields(fields)
		}
		in.Discard(len(start))
	}
	return nil, ErrNone
}

// parse returns the properties of namespace in the first element of a packet, by their names,
// simple ones and lists alike, however RDF writes them.
func parse(packet []byte) (map[string][]string, error) {
	fields := map[string][]string{}
	d := xml.NewDecoder(bytes.NewReader(packet))
	var property string // the one at hand
	var text strings.Builder
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return nil, errNotXMP
			}
			if t.Name.Space == namespace {
				property = t.Name.Local
			}
			for _, a := range t.Attr {
				if a.Name.Space == namespace {
					fields[a.Name.Local] = append(fields[a.Name.Local], a.Value)
				}
			}
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			simple := t.Name.Space == namespace && strings.TrimSpace(text.String()) != ""
			if item := t.Name.Space == rdfNamespace && t.Name.Local == "li"; property != "" && (item || simple) {
				fields[property] = append(fields[property], text.String())
			}
			if t.Name.Space == namespace {
				property = ""
			}
			text.Reset()
			if depth--; depth == 0 {
				return fields, nil
			}
		}
	}
}
