//go:build linux

// Command chaos kills the program at random moments, and those it works with: the decoder,
// the encoder, the reader of its progress, the ends of its pipes, the room on its disk. The
// same command then goes on, and what becomes of it must be the same bit by bit as without.
// No process and no temporary file may be left.
//
//	go run ./bench/chaos [-n 200] [-seed N] [-program ./nstfilter]
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	n := flag.Int("n", 200, "kills")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what is random")
	program := flag.String("program", "./nstfilter", "what is killed")
	style := flag.String("style", "examples/styles/night.jpg", "what is painted like")
	face := flag.String("face", "pipeline/faces/testdata/drawn.png", "what is left as it is")
	flag.Parse()
	fmt.Println("seed", *seed)
	folder, err := os.MkdirTemp("", "chaos-")
	if err == nil {
		var c *chaos
		if c, err = prepare(folder, *program, *style, *face, 30, *seed); err == nil {
			err = c.run(*n)
			fmt.Print(c.table())
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/chaos:", err)
		fmt.Fprintln(os.Stderr, "bench/chaos: what there is to see is in", folder)
		os.Exit(1)
	}
	os.RemoveAll(folder)
}

// chaos is a run of the command.
type chaos struct {
	folder   string // of all trials, with the inputs
	program  string
	style    string
	random   *rand.Rand
	variants []*variant
	counts   map[string]*count // by what the table has a row for
	kills    int
}

// count is a row of the table.
type count struct {
	kills     int // that came before the end
	late      int // that came when the job was done
	resumed   int // kills that the same command went on from
	identical int // jobs that came to the same end
}

func (c *chaos) count(row string) *count {
	if c.counts[row] == nil {
		c.counts[row] = &count{}
	}
	return c.counts[row]
}

// run does trials, one of each variant in turn, until n kills have come in time.
func (c *chaos) run(n int) error {
	for i := 0; c.kills < n; i++ {
		if err := c.trial(i, c.variants[i%len(c.variants)], n-c.kills); err != nil {
			return err
		}
	}
	return nil
}

// trial does one job, with at most most kills.
func (c *chaos) trial(i int, v *variant, most int) error {
	folder := filepath.Join(c.folder, fmt.Sprintf("%04d-%s", i, strings.ReplaceAll(v.name, " ", "-")))
	if err := os.MkdirAll(filepath.Join(folder, "out"), 0o755); err != nil {
		return err
	}
	t := &trial{chaos: c, variant: v, folder: folder}
	if err := v.do(t, most); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(folder), err, strings.Join(t.log, "\n"))
	}
	return os.RemoveAll(folder)
}

// hit counts a kill. done says that the job was complete all the same, late that it was so
// before.
func (t *trial) hit(how string, done, late bool) {
	for _, row := range []string{t.variant.name, how, total} {
		if late {
			t.chaos.count(row).late++
		} else {
			t.chaos.count(row).kills++
		}
	}
	if !late {
		t.chaos.kills++
		t.hits = append(t.hits, hit{how, done})
	}
}

func (t *trial) hasHit(how string) bool {
	return slices.ContainsFunc(t.hits, func(h hit) bool { return h.how == how })
}

// same counts the kills of a trial that came to the same end as without.
func (t *trial) same() {
	for _, h := range t.hits {
		for _, row := range []string{t.variant.name, h.how, total} {
			n := t.chaos.count(row)
			n.identical++
			if !h.done && !t.variant.pipe() {
				n.resumed++
			}
		}
	}
}

const total = "all"

// table has a row for each variant, each kind of kill, and all.
func (c *chaos) table() string {
	var rows []string
	for row := range c.counts {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b string) int { return strings.Compare(order(c, a), order(c, b)) })
	var b strings.Builder
	fmt.Fprintln(&b, "| | kills | resumed | identical | came too late |\n|---|---|---|---|---|")
	for _, row := range rows {
		n := c.counts[row]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", row, n.kills, n.resumed, n.identical, n.late)
	}
	return b.String()
}

// order sorts variants first, then kinds of kills, then all.
func order(c *chaos, row string) string {
	for i, v := range c.variants {
		if v.name == row {
			return fmt.Sprintf("0%02d", i)
		}
	}
	if row == total {
		return "2"
	}
	return "1" + row
}
