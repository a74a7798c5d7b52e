package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"nstfilter/video/coherence"
)

var update = flag.Bool("update", false, "rewrite the table of docs/options.md")

const (
	tableStart = "<!-- options: made from the declarations by go test ./cmd/nstfilter -run OptionsPage -update -->\n"
	tableEnd   = "<!-- end of options -->\n"
)

// table writes the declared options as Markdown.
func table() string {
	var b strings.Builder
	title := map[string]string{}
	for _, g := range optionGroups {
		title[g.Key] = strings.TrimSuffix(g.Title, ":")
	}
	last := ""
	for _, o := range declaredOptions(defaultSettings()) {
		if o.group != last {
			fmt.Fprintf(&b, "\n**%s**\n\n| option | default | meaning |\n|---|---|---|\n", title[o.group])
			last = o.group
		}
		name := "`--" + o.name + "`"
		if o.short != "" {
			name += " `-" + o.short + "`"
		}
		value := ""
		if o.value != "" {
			value = "`" + o.value + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, strings.ReplaceAll(value, ",", ", "), strings.ReplaceAll(o.help, "|", `\|`))
	}
	return b.String() + "\n"
}

// The help of each option names every value that its tag allows. The two options that name a
// flow preset allow all of them.
func TestHelpNamesAllowedValues(t *testing.T) {
	parser, err := newParser(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]int{}
	for _, command := range parser.Model.Children {
		for _, f := range command.Flags {
			for value := range strings.SplitSeq(f.Tag.Get("oneof"), ",") {
				if !strings.Contains(f.Help, value) {
					t.Errorf("%s --%s: the help does not name %q", command.Name, f.Name, value)
				}
				if _, ok := coherence.FlowPresets[value]; ok {
					named[value]++
				}
			}
		}
	}
	for preset := range coherence.FlowPresets {
		if named[preset] != 2 { // --flow, and --preset of the command flow
			t.Errorf("%d options allow flow preset %q, want 2", named[preset], preset)
		}
	}
}

func TestOptionsPage(t *testing.T) {
	const file = "../../docs/options.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableStart)
	have, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no table of options between %q and %q", file, tableStart, tableEnd)
	}
	if have == table() {
		return
	}
	if !*update {
		t.Fatalf("%s: the table of options is not what the declarations say: go test ./cmd/nstfilter -run OptionsPage -update", file)
	}
	if err := os.WriteFile(file, []byte(before+tableStart+table()+tableEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
