package sandbox

import (
	"cmp"
	"path/filepath"
	"strings"
)

// Access is what a job opens beside what every job needs of the system.
type Access struct {
	Read  []string // files, and folders with all that is in them
	Write []string // folders in which files and folders are made, changed and removed
	Film  bool     // ffmpeg runs
	GPU   bool     // ffmpeg or an engine may use devices
}

// right says what may be done with a path and all below it.
type right int

const (
	read    right = iota
	execute       // and read
	write         // make, change, rename, remove and read
	device        // change what is there, read, and control it
)

type rule struct {
	right right
	path  string
}

// systemFolders hold programs, libraries, plugins and what they are set up by, on the usual
// distributions, and on those with other folders for them: Nix, Guix, Homebrew, Flatpak, Snap.
var systemFolders = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
	"/nix/store", "/run/current-system", "/run/opengl-driver", "/gnu/store", "/home/linuxbrew/.linuxbrew", "/app", "/snap",
}

// plainDevices are what any program may open.
var plainDevices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// gpuDevices are patterns of what computes, decodes and encodes.
var gpuDevices = []string{
	"/dev/nvidia*", "/dev/nvhost*", "/dev/nvmap", "/dev/nvgpu", "/dev/dxg", // NVIDIA, Jetson, WSL
	"/dev/dri", "/dev/kfd", "/dev/udmabuf", // VA-API, QSV, Vulkan, AMF
	"/dev/video*", "/dev/media*", "/dev/dma_heap", "/dev/mpp_service", "/dev/rga", // V4L2, Rockchip
}

// rules returns what a process may open that has access a. The paths need not exist. lookPath
// is exec.LookPath.
func rules(a Access, getenv func(string) string, lookPath func(string) (string, error)) (all []rule) {
	add := func(r right, paths ...string) {
		for _, p := range paths {
			if p != "" {
				all = append(all, rule{r, p})
			}
		}
	}
	add(execute, systemFolders...)
	add(read, "/etc", "/proc", "/sys")
	add(device, plainDevices...)
	for _, name := range []string{"ffmpeg", "ffprobe"} {
		if path, err := lookPath(name); err == nil && a.Film {
			add(execute, path)
			add(read, librariesOf(path)...)
		}
	}
	for _, list := range []string{"LD_LIBRARY_PATH", "LIBHEIF_PLUGIN_PATH"} {
		add(read, filepath.SplitList(getenv(list))...)
	}
	if a.GPU {
		for _, pattern := range gpuDevices {
			found, _ := filepath.Glob(pattern) // fails for a bad pattern alone
			add(device, found...)
		}
		// CUDA names its threads in /proc/PID/task, and an ffmpeg's PID is not known yet.
		add(device, "/proc")
		add(write, "/dev/shm", cudaCache(getenv))
	}
	add(read, a.Read...)
	add(write, a.Write...)
	return all
}

// isSnap reports whether Snap starts the program, with rights that no confined process gets.
func isSnap(program string) bool {
	target, err := filepath.EvalSymlinks(program)
	return err == nil && filepath.Base(target) == "snap"
}

// librariesOf returns where the libraries of a program may be that is not installed with the
// system: PREFIX/lib for PREFIX/bin/ffmpeg, and the same for the file that a link leads to.
func librariesOf(program string) (folders []string) {
	target, err := filepath.EvalSymlinks(program)
	if err != nil {
		target = program
	}
	for _, path := range []string{program, target} {
		if bin := filepath.Dir(path); strings.HasSuffix(bin, "/bin") {
			folders = append(folders, filepath.Join(filepath.Dir(bin), "lib"), filepath.Join(filepath.Dir(bin), "lib64"))
		}
	}
	return folders
}

// cudaCache returns the folder in which CUDA's driver remembers what it has compiled.
func cudaCache(getenv func(string) string) string {
	return cmp.Or(getenv("CUDA_CACHE_PATH"), filepath.Join(cmp.Or(getenv("HOME"), "/"), ".nv"))
}
