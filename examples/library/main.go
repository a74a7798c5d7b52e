//go:build cgo

// Command library paints one photo with the library alone.
//
//	go run ./examples/library photo.jpg examples/styles/night.jpg painted.png
//
// The cpu engine needs cgo; gorgonia.New() of filter/engine/gorgonia does not.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"nstfilter/filter"
	"nstfilter/filter/engine/cpu"
	"nstfilter/pipeline/photo"
	"nstfilter/weights"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "library PHOTO STYLE OUTPUT")
		os.Exit(2)
	}
	if err := paint(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "library:", err)
		os.Exit(1)
	}
}

func paint(contentPath, stylePath, outPath string) error {
	content, err := photo.Read(contentPath)
	if err != nil {
		return err
	}
	style, err := photo.Read(stylePath)
	if err != nil {
		return err
	}
	engine, err := cpu.New(runtime.NumCPU())
	if err != nil {
		return err
	}
	f, err := filter.New(filter.DefaultOptions(), engine, weights.Slim(), []*filter.Frame{style})
	if err != nil {
		return err
	}
	defer f.Close()
	painted, _, err := f.Paint(context.Background(), content, filter.Guide{})
	if err != nil {
		return err
	}
	return photo.Write(outPath, "", painted)
}
