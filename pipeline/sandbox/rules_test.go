package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// rulesFor returns the rules of a system whose ffmpeg is at program.
func rulesFor(a Access, program string, env map[string]string) []rule {
	return rules(a, func(name string) string { return env[name] }, func(name string) (string, error) {
		if name == "ffmpeg" && program != "" {
			return program, nil
		}
		return "", errors.New("not installed")
	})
}

func TestRules(t *testing.T) {
	root := t.TempDir()
	linked := filepath.Join(root, "bin", "ffmpeg")
	target := filepath.Join(root, "ffmpeg-7", "bin", "ffmpeg")
	err := errors.Join(os.MkdirAll(filepath.Dir(linked), 0o755), os.MkdirAll(filepath.Dir(target), 0o755),
		os.WriteFile(target, nil, 0o755), os.Symlink(target, linked))
	if err != nil {
		t.Fatal(err)
	}
	job := Access{Read: []string{"in.png", "flows"}, Write: []string{"out"}}
	film := job
	film.Film = true
	onGPU := job
	onGPU.GPU = true
	cache := map[string]string{"HOME": "/home/me", "CUDA_CACHE_PATH": "/cache"}
	for _, c := range []struct {
		name     string
		a        Access
		program  string
		env      map[string]string
		has, not []rule
	}{
		{"the job's", job, "", nil,
			[]rule{{read, "in.png"}, {read, "flows"}, {write, "out"}},
			[]rule{{write, "in.png"}, {write, "flows"}, {execute, "out"}, {device, "/proc"}, {write, "/dev/shm"}}},
		{"the system's", job, "", nil,
			[]rule{{execute, "/usr"}, {execute, "/lib64"}, {read, "/etc"}, {read, "/proc"}, {device, "/dev/null"}},
			[]rule{{read, "/home"}, {read, "/root"}, {read, "/"}, {read, "/dev"}, {write, "/tmp"}}},
		{"an ffmpeg that is not needed", job, "/home/me/ffmpeg", nil, nil, []rule{{execute, "/home/me/ffmpeg"}}},
		{"an ffmpeg behind a link", film, linked, nil,
			[]rule{{execute, linked}, {read, filepath.Join(root, "lib")}, {read, filepath.Join(root, "ffmpeg-7", "lib64")}},
			[]rule{{read, root}, {execute, filepath.Join(root, "bin")}}},
		{"an ffmpeg in a home", film, "/home/me/ffmpeg", nil,
			[]rule{{execute, "/home/me/ffmpeg"}}, []rule{{read, "/home/lib"}, {read, "/home/me"}}},
		{"the loader's", job, "", map[string]string{"LD_LIBRARY_PATH": "/a::/b"},
			[]rule{{read, "/a"}, {read, "/b"}}, []rule{{read, ""}}},
		{"a GPU's", onGPU, "", map[string]string{"HOME": "/home/me"},
			[]rule{{device, "/proc"}, {write, "/dev/shm"}, {write, "/home/me/.nv"}, {read, "in.png"}}, []rule{{write, "/home/me"}}},
		{"a GPU's, its cache elsewhere", onGPU, "", cache, []rule{{write, "/cache"}}, []rule{{write, "/home/me/.nv"}}},
	} {
		got := rulesFor(c.a, c.program, c.env)
		for _, want := range c.has {
			if !slices.Contains(got, want) {
				t.Errorf("%s: no rule %v", c.name, want)
			}
		}
		for _, no := range c.not {
			if slices.Contains(got, no) {
				t.Errorf("%s: rule %v", c.name, no)
			}
		}
	}
}

func TestIsSnap(t *testing.T) {
	dir := t.TempDir()
	snap, ffmpeg, link := filepath.Join(dir, "snap"), filepath.Join(dir, "ffmpeg"), filepath.Join(dir, "link")
	err := errors.Join(os.WriteFile(snap, nil, 0o755), os.Symlink(snap, link), os.WriteFile(ffmpeg, nil, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{link: true, ffmpeg: false, filepath.Join(dir, "none"): false} {
		if got := isSnap(path); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}
