package pipeline

import (
	"fmt"
	"math"
	"math/bits"
	"path/filepath"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/host"
	"nstfilter/pipeline/photo"
)

// What fits: how large pictures may be, known before any is decoded, how much memory painting
// may take, and whether the disk has room for a film.

// decodedBytes is how many bytes a pixel takes while a picture is decoded: the samples as
// they are in the file, a copy, and planes of float32.
const decodedBytes = 18

// checkSize returns an error for a picture or a frame that is too large to be decoded.
func (w *worker) checkSize(width, height int) error {
	pixels := int64(width) * int64(height)
	if most := w.options.MaxPixels; pixels > int64(most) {
		return fmt.Errorf("%d×%d is more than %s pixels: scale it down, or allow more with --max-pixels", width, height, amountText(int64(most)))
	}
	if need, free := pixels*decodedBytes, w.hostMemory(); free > 0 && need > free {
		return fmt.Errorf("%d×%d takes about %s of memory to be decoded, and %s can be had: scale it down, or allow more with --max-memory", width, height, formatGB(need), formatGB(free))
	}
	return nil
}

// leastAddresses is what Go and the libraries reserve of addresses, in bytes, without using
// them. Below it they end the process.
const leastAddresses = 2 << 30

// checkAddresses reports a limit of addresses, 0 for none, that is below leastAddresses.
func checkAddresses(limit int64) error {
	if limit == 0 || limit >= leastAddresses {
		return nil
	}
	return fmt.Errorf("a limit of %s is set on addresses (ulimit -v), and the program reserves more before it uses any: lift it (ulimit -v unlimited), and bound what is used by --max-memory", formatGB(limit))
}

// readPicture reads a picture that fits.
func (w *worker) readPicture(path string) (*filter.Frame, error) {
	return photo.ReadIf(path, w.checkSize)
}

// hostMemory returns how many bytes of the host's memory this worker may take beside what the
// program has, or 0 if that is not known.
func (w *worker) hostMemory() int64 {
	_, device := w.engine.(engine.DeviceMemory)
	switch {
	case w.filter != nil && !device:
		return w.filter.MaxMemory
	case !device && w.options.MaxMemory > 0:
		// What no plan counts, of libraries and what waits to be collected, took 12 % at 24 megapixels.
		return max(int64(w.options.MaxMemory)/8*7-host.ResidentMemory(), 1) / int64(w.workers)
	}
	return host.FreeMemory() / 4 * 3 / int64(w.workers)
}

// memoryLimit returns how many bytes painting may take, of the device's own memory if it
// has any, or 0 if that is not known. It fails if --max-memory is less than the program, the
// network and the styles take.
func (w *worker) memoryLimit() (int64, error) {
	most := int64(w.options.MaxMemory)
	if e, ok := w.engine.(engine.DeviceMemory); ok {
		free := max(e.FreeMemory()/16*15, 1) // the driver takes some more
		if most > 0 {
			free = min(free, most)
		}
		return free, nil
	}
	if taken := host.ResidentMemory(); most > 0 && most <= taken {
		return 0, UsageErrorf("--max-memory %s: the program, its network and the styles take %s by themselves: allow more, several times as much for large pictures",
			amountText(most), formatGB(taken))
	}
	return w.hostMemory(), nil
}

// checkInput returns an error for frames of w×h that cannot be decoded or painted in the
// memory that there is.
func (s *stylizer) checkInput(width, height int) error {
	if err := s.worker.checkSize(width, height); err != nil || !s.worker.settings.Paints() {
		return err
	}
	_, err := s.planFor(width, height)
	return err
}

// planFor plans for the input's frames. It fails if there is too little memory.
func (s *stylizer) planFor(width, height int) (filter.Plan, error) {
	f := s.worker.filter
	f.Film = s.coherent()
	plan, err := f.Plan(width, height)
	if err != nil {
		return plan, err
	}
	return plan, s.worker.checkPlan(plan)
}

// checkPlan reports a plan that needs more memory than there is.
func (w *worker) checkPlan(plan filter.Plan) error {
	free, kind := w.filter.MaxMemory, w.filter.MemoryName()
	remedy := "allow more with --max-memory, or end other programs"
	if plan.Host > 0 {
		remedy += " on it, or choose --device cpu"
		if free := host.FreeMemory() / 4 * 3; free > 0 && plan.Host > free {
			return fmt.Errorf("frames of this size need about %s of memory beside the GPU's, and %s can be had: end other programs, or scale the input down",
				formatGB(plan.Host), formatGB(free))
		}
	}
	switch {
	case free == 0 || plan.Memory <= free:
		return nil
	case w.settings.Size == 0:
		return fmt.Errorf("even a picture of %d×%d needs about %s of %s, and %s can be had: %s",
			plan.W, plan.H, formatGB(plan.Memory), kind, formatGB(free), remedy)
	}
	smaller := math.Sqrt(float64(free)/float64(plan.Memory)) * 0.95
	if fits := smaller * float64(max(plan.W, plan.H)); smaller*float64(min(plan.W, plan.H)) >= engine.MinSide {
		remedy = fmt.Sprintf("--size %d fits", int(fits))
	}
	return fmt.Errorf("painting at %d×%d needs about %s of %s, and %s can be had: %s",
		plan.W, plan.H, formatGB(plan.Memory), kind, formatGB(free), remedy)
}

// formatGB writes an amount of memory or disk.
func formatGB(bytes int64) string {
	if bytes < 1e8 {
		return fmt.Sprintf("%.3g MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.2g GB", float64(bytes)/1e9)
}

// encoderHolds is how many frames an encoder may still write once there are no more.
const encoderHolds = 64

// roomWatch watches the disk while a film is painted. A film ends in order before the disk is
// full, since an encoder that cannot write loses what it holds.
type roomWatch struct {
	folder string
	frame  int64 // bytes that the journal takes for a frame; 0: there is none
	state  int64 // bytes of a state that the journal may write next
	frames int64 // of the film, or 0 if not known
	warned bool

	free func(folder string) int64 // host.FreeDisk, but for tests
}

func newRoomWatch(out string, frames, frame, state int64) *roomWatch {
	return &roomWatch{folder: filepath.Dir(out), frames: frames, frame: frame, state: state, free: host.FreeDisk}
}

// noRoomError ends a film whose disk is nearly full.
type noRoomError struct {
	folder string
	free   int64
}

func (e noRoomError) Error() string {
	return fmt.Sprintf("no space left for the next frames: %s has %s free: make room there", e.folder, formatGB(e.free))
}

// check returns a noRoomError if the next frames may fill the disk. Else warning, once, says
// that the frames to come will. done, at least 1, are done, in an encoded file of so many bytes.
func (r *roomWatch) check(done, encoded int64) (warning string, err error) {
	free := r.free(r.folder)
	if free <= 0 || r.frames > 0 && done >= r.frames {
		return "", nil
	}
	held := int64(encoderHolds)
	if r.frames > 0 {
		held = min(held, r.frames-done)
	}
	if free < 2*r.frame+r.state+held*encoded/done {
		return "", noRoomError{r.folder, free}
	}
	// At 8 frames, 16, 32, …: what a frame takes of the encoded file is known better and better.
	if r.warned || r.frames == 0 || done < 8 || bits.OnesCount64(uint64(done)) != 1 {
		return "", nil
	}
	need := (r.frames - done) * (r.frame + encoded/done)
	if need <= free {
		return "", nil
	}
	r.warned = true
	return fmt.Sprintf("the %d frames to come take about %s in %s, and %s are free: make room while it paints; else it ends early, and keeps what is done",
		r.frames-done, formatGB(need), r.folder, formatGB(free)), nil
}
