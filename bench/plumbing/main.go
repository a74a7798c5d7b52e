// Command plumbing measures what the way through the program costs: a film decoded,
// turned to RGB and back with no iterations, and encoded, beside ffmpeg that copies
// the same frames through the same pipes. Both take turns; times are medians, and each
// case is a JSON line.
//
//	go run ./bench/plumbing [-frames 200] [-size 1920x1080] [-runs 5] [-encoder ARGUMENTS]
//
// The cases: y4m and nut, where nstfilter is the middle of three processes, and film,
// where it starts the other two itself and encodes as it does by itself (libx264, CRF 17).
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	paint  = "./nstfilter -y --style examples/styles/night.jpg --iterations 0 --progress none"
	ffmpeg = "ffmpeg -v error -y"
)

// result is one case. FPS are frames per second, Ratio ours over ffmpeg's; CPU is
// the processor time of a frame in all processes, ms.
type result struct {
	Case     string  `json:"case"`
	Size     string  `json:"size"`
	Frames   int     `json:"frames"`
	FPS      float64 `json:"fps"`
	PeerFPS  float64 `json:"peer_fps"`
	Ratio    float64 `json:"ratio"`
	CPU      float64 `json:"cpu_ms"`
	PeerCPU  float64 `json:"peer_cpu_ms"`
	OursRuns string  `json:"command"`
	PeerRuns string  `json:"peer_command"`
}

func main() {
	frames := flag.Int("frames", 200, "frames of the film")
	size := flag.String("size", "1920x1080", "their size")
	runs := flag.Int("runs", 5, "runs of each, of which the median counts")
	encoder := flag.String("encoder", "-c:v libx264 -preset ultrafast -crf 17", "how ffmpeg encodes at the end of a pipe")
	flag.Parse()
	if err := measure(*frames, *size, max(*runs, 1), *encoder); err != nil {
		fmt.Fprintln(os.Stderr, "bench/plumbing:", err)
		os.Exit(1)
	}
}

func measure(frames int, size string, runs int, encoder string) error {
	work, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	in, ours, peers := filepath.Join(work, "in.mp4"), filepath.Join(work, "ours.mp4"), filepath.Join(work, "peers.mp4")
	if _, _, err := timed(fmt.Sprintf("%s -f lavfi -i testsrc2=s=%s:r=25,noise=alls=12:allf=t -frames:v %d -pix_fmt yuv420p -c:v libx264 -preset veryfast -crf 20 %s", ffmpeg, size, frames, in)); err != nil {
		return err
	}
	pipe := func(format, middle, encoder, out string) string {
		return fmt.Sprintf("%s -nostdin -i %s %s - | %s | %s -i - %s %s", ffmpeg, in, format, middle, ffmpeg, encoder, out)
	}
	y4m, nut := "-f yuv4mpegpipe", "-c:v rawvideo -f nut"
	copyY4M, copyNUT := ffmpeg+" -i - -f yuv4mpegpipe -", ffmpeg+" -i - -c copy -f nut -"
	lines := json.NewEncoder(os.Stdout)
	lines.SetEscapeHTML(false)
	for _, c := range []struct{ name, ours, peers string }{
		{"y4m", pipe(y4m, paint, encoder, ours), pipe(y4m, copyY4M, encoder, peers)},
		{"nut", pipe(nut, paint, encoder, ours), pipe(nut, copyNUT, encoder, peers)},
		{"film", paint + " " + in + " " + ours, pipe(nut, copyNUT, "-c:v libx264 -crf 17 -movflags +faststart", peers)},
	} {
		r := result{Case: c.name, Size: size, Frames: frames, OursRuns: c.ours, PeerRuns: c.peers}
		var fps, peerFPS, cpu, peerCPU []float64
		for range runs {
			for _, turn := range []struct {
				command  string
				out      string
				fps, cpu *[]float64
			}{{c.ours, ours, &fps, &cpu}, {c.peers, peers, &peerFPS, &peerCPU}} {
				took, processor, err := timed(turn.command)
				if err != nil {
					return err
				}
				if err := whole(turn.out, frames); err != nil {
					return err
				}
				*turn.fps = append(*turn.fps, float64(frames)/took.Seconds())
				*turn.cpu = append(*turn.cpu, processor.Seconds()*1000/float64(frames))
			}
		}
		r.FPS, r.PeerFPS, r.CPU, r.PeerCPU = median(fps), median(peerFPS), median(cpu), median(peerCPU)
		r.Ratio = r.FPS / r.PeerFPS
		lines.Encode(r)
	}
	return nil
}

// timed runs a command of the shell: its time, and the processor's in all processes.
func timed(command string) (took, processor time.Duration, err error) {
	start := time.Now()
	c := exec.Command("sh", "-c", command)
	out, err := c.CombinedOutput()
	if err != nil || len(out) > 0 { // a pipe's exit code is its last command's
		return 0, 0, fmt.Errorf("%s: %v: %s", command, err, out)
	}
	return time.Since(start), c.ProcessState.UserTime() + c.ProcessState.SystemTime(), nil
}

// whole reports a film that has not as many frames.
func whole(film string, frames int) error {
	out, err := exec.Command("ffprobe", "-v", "error", "-count_packets", "-select_streams", "v", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", film).Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != fmt.Sprint(frames) {
		return fmt.Errorf("%s has %s of %d frames: %v", film, got, frames, err)
	}
	return nil
}

func median(x []float64) float64 {
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
