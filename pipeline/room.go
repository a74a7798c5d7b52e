package pipeline

import (
	"fmt"
	"math/bits"
	"path/filepath"

	"nstfilter/pipeline/host"
)

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
