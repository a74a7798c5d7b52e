package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"nstfilter/pipeline"
)

type manCmd struct{}

// Help returns what --help says below the usage.
func (*manCmd) Help() string {
	return `Read it, or keep it where man looks:

    nstfilter man | man -l -
    nstfilter man >~/.local/share/man/man1/nstfilter.1`
}

func (*manCmd) Run(*commandEnv) error {
	parser, err := newParser(&commandLine{})
	if err != nil {
		return err
	}
	return writeManual(os.Stdout, parser.Model.Node)
}

// writeManual writes all that is declared as a page of roff, with the macros of man(7).
func writeManual(w io.Writer, app *kong.Node) error {
	p := &manPage{}
	p.line(".TH NSTFILTER 1 %q %q", commitDate(), versionText())
	p.section("NAME")
	p.text("nstfilter - " + strings.ToLower(programDescription[:1]) + strings.TrimSuffix(programDescription[1:], "."))
	p.section("SYNOPSIS")
	p.text("nstfilter --style PAINTING [options] IN OUT")
	for _, c := range commandsOf(app) {
		p.line(".br")
		p.text("nstfilter " + c.Summary())
	}
	p.section("EXAMPLES")
	p.verbatim(pipeline.UsageExamples)
	p.section("OPTIONS")
	for _, g := range optionGroups {
		p.subsection(strings.TrimSuffix(g.Title, ":"))
		for _, f := range app.DefaultCmd.Flags {
			if f.Group.Key == g.Key {
				p.option(f)
			}
		}
	}
	p.subsection("Help")
	for _, f := range app.Flags {
		p.option(f)
	}
	p.section("COMMANDS")
	for _, c := range commandsOf(app) {
		p.command(c, app.DefaultCmd)
	}
	p.section("EXIT STATUS")
	for _, code := range [][2]string{{"0", "Done."}, {"1", "Failed."}, {"2", "The command is wrong."}, {"3", "Done in part: an input is damaged."}, {"130", "Interrupted."}} {
		p.item(code[0], code[1])
	}
	p.section("SEE ALSO")
	p.line(".BR ffmpeg (1)")
	_, err := io.WriteString(w, p.b.String())
	return err
}

// commandsOf returns the commands that are called by a name, without the groups that they are in.
func commandsOf(app *kong.Node) (commands []*kong.Node) {
	for _, c := range app.Leaves(true) {
		if c != app.DefaultCmd {
			commands = append(commands, c)
		}
	}
	return commands
}

// commitDate returns the day of the commit that the program was built from, or "".
func commitDate() string {
	info, _ := debug.ReadBuildInfo()
	if info != nil {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				day, _, _ := strings.Cut(s.Value, "T")
				return day
			}
		}
	}
	return ""
}

// manPage is a page of roff that is being written.
type manPage struct{ b strings.Builder }

func (p *manPage) line(format string, a ...any) { fmt.Fprintf(&p.b, format+"\n", a...) }
func (p *manPage) section(title string)         { p.line(".SH %s", title) }
func (p *manPage) subsection(title string)      { p.line(".SS %s", title) }
func (p *manPage) text(s string)                { p.line("%s", roffText(s)) }

func (p *manPage) item(name, text string) {
	p.line(".TP")
	p.line(".B %s", roffText(name))
	p.text(text)
}

func (p *manPage) verbatim(text string) {
	p.line(".nf")
	for line := range strings.SplitSeq(text, "\n") {
		p.text(line)
	}
	p.line(".fi")
}

func (p *manPage) option(f *kong.Flag) {
	name := "--" + f.Name
	if f.Short != 0 {
		name = "-" + string(f.Short) + ", " + name
	}
	if !f.IsBool() {
		name += "=" + f.FormatPlaceHolder()
	}
	p.item(name, f.Help)
}

// command writes of a command what the one that paints has not.
func (p *manPage) command(c, paint *kong.Node) {
	p.subsection(roffText("nstfilter " + c.Path()))
	p.text(c.Help)
	for paragraph := range strings.SplitSeq(c.Detail, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, "    "):
			p.line(".PP")
			p.verbatim(paragraph)
		case paragraph != "":
			p.line(".PP")
			p.text(paragraph)
		}
	}
	for _, a := range c.Positional {
		p.item(strings.ToUpper(a.Name), a.Help)
	}
	others := 0
	for _, f := range c.Flags {
		if other := flagOf("--"+f.Name, paint.Flags); other != nil && other.Help == f.Help {
			others++
			continue
		}
		p.option(f)
	}
	if others > 0 {
		p.line(".PP")
		p.text("It takes options of nstfilter too: --help lists them.")
	}
}

// roffText escapes what roff would obey, and what is not ASCII.
func roffText(s string) string {
	var b strings.Builder
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		b.WriteString(`\&`)
	}
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r > 126:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
