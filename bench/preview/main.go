// Command preview measures what --preview costs while somebody looks: a photo is painted with a
// viewer and without --preview, in turns, and each size is a JSON line. The viewer reads the
// page's events and draws nothing, for a browser may be on another machine; on the same one its
// drawing comes on top.
//
//	go run ./bench/preview [-nstfilter ./nstfilter] [-sizes 256,512] [-runs 7] CONTENT STYLE
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// result is one size. Seconds are medians of a whole run; First is from the start of the program
// to the first picture that the viewer gets.
type result struct {
	Size     string  `json:"size"`
	Runs     int     `json:"runs"`
	Seconds  float64 `json:"seconds"`
	Watched  float64 `json:"seconds_watched"`
	Slower   float64 `json:"slower"`   // the median over the runs of watched/alone − 1
	Busier   float64 `json:"busier"`   // the same of processor time, which other programs disturb less
	Pictures float64 `json:"pictures"` // of a run
	First    float64 `json:"first_picture_seconds"`
}

func main() {
	program := flag.String("nstfilter", "./nstfilter", "the program")
	sizes := flag.String("sizes", "256,512", "of the photo, in pixels")
	runs := flag.Int("runs", 7, "runs of each, of which the median counts")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: preview [-nstfilter FILE] [-sizes LIST] [-runs N] CONTENT STYLE")
		os.Exit(2)
	}
	for _, size := range strings.Split(*sizes, ",") {
		r, err := measure(*program, size, max(*runs, 1), flag.Arg(0), flag.Arg(1))
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench/preview:", err)
			os.Exit(1)
		}
		json.NewEncoder(os.Stdout).Encode(r)
	}
}

func measure(program, size string, runs int, content, style string) (r result, err error) {
	work, err := os.MkdirTemp("", "")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(work)
	args := []string{"--style", style, "--size", size, "--progress", "none", "-y", content, filepath.Join(work, "out.png")}
	var alone, watched, slower, busier, pictures, first []float64
	for range runs {
		began := time.Now()
		c := exec.Command(program, args...)
		if out, err := c.CombinedOutput(); err != nil {
			return r, fmt.Errorf("%w: %s", err, out)
		}
		alone = append(alone, time.Since(began).Seconds())
		took, cpu, seen, at, err := watch(program, append([]string{"--preview"}, args...))
		if err != nil {
			return r, err
		}
		watched, slower = append(watched, took), append(slower, took/alone[len(alone)-1]-1)
		busier = append(busier, cpu/processorTime(c)-1)
		pictures, first = append(pictures, float64(seen)), append(first, at)
	}
	return result{size, runs, median(alone), median(watched), median(slower), median(busier), median(pictures), median(first)}, nil
}

// processorTime is what a program that has ended took of all processors, in seconds.
func processorTime(c *exec.Cmd) float64 {
	return (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
}

// watch runs the program with a viewer. It returns the seconds of the run and of processors, how
// many pictures came, and when the first did.
func watch(program string, args []string) (took, cpu float64, pictures int, first float64, err error) {
	c := exec.Command(program, args...)
	stderr, err := c.StderrPipe()
	if err != nil {
		return 0, 0, 0, 0, err
	}
	began := time.Now()
	if err := c.Start(); err != nil {
		return 0, 0, 0, 0, err
	}
	said, seen := bufio.NewScanner(stderr), make(chan int, 1)
	for said.Scan() {
		if _, url, ok := strings.Cut(said.Text(), "preview: "); ok {
			go func() { seen <- view(url, func() { first = time.Since(began).Seconds() }) }()
			break
		}
	}
	io.Copy(io.Discard, stderr)
	if err := c.Wait(); err != nil {
		return 0, 0, 0, 0, err
	}
	took = time.Since(began).Seconds()
	return took, processorTime(c), <-seen, first, nil
}

// view reads events until they end, and counts pictures.
func view(url string, onFirst func()) (pictures int) {
	answer, err := http.Get(url + "events")
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		if lines.Text() == "event: picture" {
			if pictures++; pictures == 1 {
				onFirst()
			}
		}
	}
	return pictures
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}
