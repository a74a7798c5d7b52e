package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

// keyFile is the painting of one frame of a film, by a hand or another program.
type keyFile struct {
	path   string
	number int64         // of the frame in the film, from 1, or in its picture's name; with atTime it is not used
	at     time.Duration // of the frame
	atTime bool
}

// parseKeys reads the values of --key: TIME=FILE, or numbered pictures. The files are in the
// order in which they were given, numbered ones by number.
func parseKeys(texts []string) (keys []keyFile, err error) {
	for _, text := range texts {
		if clock, file, ok := strings.Cut(text, "="); ok {
			var at video.Clock
			if err := at.UnmarshalText([]byte(clock)); err == nil {
				if _, err := os.Stat(file); err != nil {
					return nil, fmt.Errorf("--key %w", photo.ExplainFileError(file, err))
				}
				keys = append(keys, keyFile{path: file, at: time.Duration(at), atTime: true})
				continue
			}
		}
		name, numbered, err := parseSequenceName(text)
		if err != nil {
			return nil, UsageErrorf("--key %v", err)
		}
		if !numbered {
			return nil, UsageErrorf("--key %s: say which frame it is the painting of: --key 12.5=%s by its time, or --key 'keys/%%05d.png' for pictures that have the numbers of their frames in their names", text, text)
		}
		numbers, err := name.list()
		if err != nil || len(numbers) == 0 {
			return nil, fmt.Errorf("--key %s: no such file, with any number: check the name", text)
		}
		for _, n := range numbers {
			keys = append(keys, keyFile{path: name.path(n), number: n})
		}
	}
	return keys, nil
}

// checkKeys reports keys that do not suit the inputs.
func (j *Job) checkKeys(tasks []paintTask) (err error) {
	if len(j.Key) == 0 {
		return nil
	}
	if tasks[0].keys, err = parseKeys(j.Key); err != nil {
		return err
	}
	switch {
	case len(tasks) > 1:
		return UsageErrorf("--key is for one film, and here are %d inputs: paint them one by one", len(tasks))
	case tasks[0].isPhoto():
		return UsageErrorf("--key is for a film, and %s is a photo: its painting would be the result", tasks[0].in)
	case j.Coherence.Flow == "none":
		return UsageErrorf("--key with --flow none: a painting is carried along the flow: leave one out")
	case j.Filter.Init != "previous":
		return UsageErrorf("--key with --init %s: frames that start afresh do not follow a painting: leave one out", j.Filter.Init)
	case j.Mask != "" && len(j.Style) == 0:
		return UsageErrorf("--key with --mask: name a --style for each region too, for what no painting shows")
	}
	return nil
}

// sharesOf returns the shares of the styles in a frame, and behind them those of the keys, or nil
// if they never change. A scene without a key, and without a --style, is painted like the key that
// has its colours most.
func (s *stylizer) sharesOf(a *analyzedFrame, begins bool) ([]float64, error) {
	styles := len(s.worker.styles.styles)
	if len(s.styled.keys) == 0 {
		return s.styleShares(a.frame), nil
	}
	key := a.key
	if key < 0 && styles == 0 {
		if begins {
			var err error
			if s.alike, err = s.styled.alike(a.content); err != nil {
				return nil, err
			}
			s.worker.reporter.say(fmt.Sprintf("%s: the scene from frame %d on, at %.3f s, has no key: it is painted like %s, whose colours are most like its own", s.ledger.input,
				a.frame.Index, (secondsToDuration(presentedAt(a.frame)) - s.begin).Seconds(), s.styled.keys[s.alike].path))
		}
		key = s.alike
	}
	shares := make([]float64, styles+len(s.styled.keys))
	if key >= 0 {
		shares[styles+key] = 1
	} else {
		copy(shares, s.worker.styles.Shares(secondsToDuration(presentedAt(a.frame))-s.begin))
	}
	return shares, nil
}

// filterShares returns the shares of the filter's styles for those of sharesOf: behind the
// styles of --style the filter has one for all keys, which is exchanged.
func (s *stylizer) filterShares(shares []float64) ([]float64, error) {
	styles := len(s.worker.styles.styles)
	if len(s.styled.keys) == 0 || shares == nil {
		return shares, nil
	}
	out := append(slices.Clone(shares[:styles]), 0)
	for key, share := range shares[styles:] {
		if share == 0 {
			continue
		}
		out[styles] = share
		if s.worker.styledKey != key {
			painting, err := s.styled.read(key)
			if err != nil {
				return nil, err
			}
			s.worker.filter.SetStyle(styles, painting)
			s.worker.styledKey = key
		}
	}
	return out, nil
}

// keySum returns the SHA-256 of the keys' files, with the frames that they are of.
func keySum(keys []keyFile) (string, error) {
	h := sha256.New()
	for _, k := range keys {
		fmt.Fprintf(h, "%d %v %v ", k.number, k.at, k.atTime)
		if err := addFile(h, k.path); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// framePlace is where a frame is in the film, for its keys.
type framePlace struct {
	number   int64         // as keyFile has it
	at       time.Duration // as a player shows it
	interval time.Duration // to the next frame
}

// ahead returns how many frames a key is ahead of the one at p: 0 for its own, below 0 if it is
// behind. A time means the frame that is nearest to it.
func (k *keyFile) ahead(p framePlace) int64 {
	if k.atTime {
		return int64(math.Floor(float64(k.at-p.at)/float64(p.interval) + 0.5))
	}
	return k.number - p.number
}

// paintings gives the pictures of keys, in the colours that a film is painted in.
type paintings struct {
	worker *worker
	keys   []keyFile
	latest int           // whose picture is own
	own    *filter.Frame // as it was read; nil: none has been
}

// read returns a key's painting at its own size.
func (p *paintings) read(key int) (*filter.Frame, error) {
	if p.own != nil && p.latest == key {
		return p.own, nil
	}
	f, err := photo.ReadOwn(p.keys[key].path, p.worker.checkSize)
	if err == nil {
		f, err = photo.Convert(f, p.worker.profile)
	}
	if err != nil {
		return nil, fmt.Errorf("--key %w", err)
	}
	p.latest, p.own = key, f
	return f, nil
}

// of returns a key's painting at the size of content, its frame.
func (p *paintings) of(key int, content *filter.Frame) (*filter.Frame, error) {
	f, err := p.read(key)
	if err == nil {
		err = checkAspect(f, content)
	}
	if err != nil {
		return nil, fmt.Errorf("frame %d: --key %s %w", content.Index, p.keys[key].path, err)
	}
	return f.Resized(content.W, content.H), nil
}

// alike returns the key whose painting has colours most like content's.
func (p *paintings) alike(content *filter.Frame) (key int, err error) {
	least := math.Inf(1)
	for k := range p.keys {
		f, err := p.read(k)
		if err != nil {
			return 0, err
		}
		if d := coherence.ColourDistance(f, content); d < least {
			key, least = k, d
		}
	}
	return key, nil
}
