package recipe

import (
	"bytes"
	"encoding/xml"
	"io"
)

// Packet returns a recipe's XMP as a packet, as pictures hold it.
func Packet(xmp string) []byte {
	return []byte("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" + xmp + `<?xpacket end="w"?>`)
}

// Merge returns the XMP of a picture with the recipe r in the place of one that it may have.
// A nil r takes that one out. It fails if existing is no XMP; if it is empty, the result is
// r's packet, or empty.
func Merge(existing []byte, r *Recipe) ([]byte, error) {
	existing = bytes.TrimRight(existing, "\x00")
	if len(bytes.TrimSpace(existing)) == 0 {
		if r == nil {
			return nil, nil
		}
		return Packet(r.XMP()), nil
	}
	old, end, err := findOld(existing)
	if err != nil {
		return nil, err
	}
	var merged []byte
	at := 0
	for _, cut := range old {
		merged, at = append(merged, existing[at:cut.from]...), cut.to
	}
	merged = append(merged, existing[at:end]...)
	if r != nil {
		merged = append(merged, r.description()...)
	}
	return append(merged, existing[end:]...), nil
}

type span struct{ from, to int }

// findOld returns where an older recipe is in XMP, with its Description if that holds nothing
// else, and where the RDF ends.
func findOld(xmp []byte) (old []span, end int, err error) {
	d := xml.NewDecoder(bytes.NewReader(xmp))
	var around span // the Description at hand
	var inside []span
	alone := false // around holds only recipes
	end = -1
	for depth, recipeAt, descriptionAt := 0, 0, 0; ; {
		from := int(d.InputOffset())
		token, err := d.Token()
		if err == io.EOF && end >= 0 && depth == 0 {
			return old, end, nil
		} else if err != nil {
			return nil, 0, errNotXMP
		}
		to := int(d.InputOffset())
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			switch {
			case recipeAt > 0:
			case t.Name.Space == namespace:
				recipeAt, inside = depth, append(inside, span{from, 0})
			case descriptionAt == 0 && t.Name == (xml.Name{Space: rdfNamespace, Local: "Description"}):
				descriptionAt, around, inside, alone = depth, span{from, 0}, nil, holdsNoAttributes(t)
			default:
				alone = false
			}
		case xml.EndElement:
			switch {
			case depth == recipeAt:
				inside[len(inside)-1].to, recipeAt = to, 0
			case depth == descriptionAt && recipeAt == 0:
				descriptionAt = 0
				if around.to = to; alone && len(inside) > 0 {
					inside = []span{around}
				}
				old = append(old, inside...)
				inside = nil
			case t.Name == (xml.Name{Space: rdfNamespace, Local: "RDF"}) && from < to:
				end = from
			}
			depth--
		}
	}
}

// holdsNoAttributes reports whether a Description has no property as an attribute.
func holdsNoAttributes(t xml.StartElement) bool {
	for _, a := range t.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && a.Name != (xml.Name{Space: rdfNamespace, Local: "about"}) {
			return false
		}
	}
	return true
}
