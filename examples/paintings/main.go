// Command paintings draws the project's own paintings, to be used as styles.
//
//	go run ./examples/paintings -o examples/styles
//
// Each is drawn from a seed and no picture: the same seed gives the same painting.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A painting draws itself, size pixels on the longer side.
type painting struct {
	name string
	seed uint64
	draw func(size int, seed uint64) *Canvas
}

var paintings = []painting{
	{"night", 7, night},
	{"glass", 3, glass},
	{"woodcut", 5, woodcut},
	{"watercolour", 11, watercolour},
	{"scream", 2, scream},
	{"mosaic", 4, mosaic},
}

func main() {
	folder := flag.String("o", ".", "folder for the pictures")
	size := flag.Int("size", 1024, "longer side in pixels, 64 to 8192")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "paintings [-o DIR] [-size 1024] [%s]\n", strings.Join(names(), " "))
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(*folder, *size, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "paintings:", err)
		os.Exit(1)
	}
}

func names() []string {
	var all []string
	for _, p := range paintings {
		all = append(all, p.name)
	}
	return all
}

func run(folder string, size int, wanted []string) error {
	if size < 64 || size > 8192 {
		return fmt.Errorf("-size %d is not between 64 and 8192", size)
	}
	for _, name := range wanted {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("no painting is called %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	errs := make([]error, len(paintings))
	var group sync.WaitGroup
	for i, p := range paintings {
		if len(wanted) > 0 && !slices.Contains(wanted, p.name) {
			continue
		}
		group.Go(func() { errs[i] = save(filepath.Join(folder, p.name+".jpg"), p.draw(size, p.seed)) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// budget is what a picture of 1024 pixels may take, so that a repository can hold
// it.
const budget = 300 << 10

// save lowers the quality from 88 until the file is within its share of budget.
func save(path string, c *Canvas) error {
	limit := budget * max(c.W, c.H) / 1024 * max(c.W, c.H) / 1024
	var out bytes.Buffer
	for quality := 88; ; quality -= 2 {
		out.Reset()
		if err := jpeg.Encode(&out, c.Image(), &jpeg.Options{Quality: quality}); err != nil {
			return err
		}
		if out.Len() <= limit || quality <= 60 {
			return os.WriteFile(path, out.Bytes(), 0o644)
		}
	}
}
