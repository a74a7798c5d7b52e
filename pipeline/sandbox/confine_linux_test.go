package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// confinedFolder, in the environment, makes the test's program the one that is confined: there
// is no way back.
const confinedFolder = "NSTFILTER_TEST_CONFINED"

func TestMain(m *testing.M) {
	folder := os.Getenv(confinedFolder)
	if folder == "" {
		os.Exit(m.Run())
	}
	if err := tryAll(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestConfine(t *testing.T) {
	if abi, err := ll.LandlockGetABIVersion(); err != nil || abi < networkABI {
		t.Skipf("this kernel's Landlock is of ABI %d (%v), and %d knows the network", abi, err, networkABI)
	}
	folder := t.TempDir()
	err := errors.Join(os.Mkdir(filepath.Join(folder, "out"), 0o755), os.Mkdir(filepath.Join(folder, "secret"), 0o755),
		os.WriteFile(filepath.Join(folder, "in"), []byte("in"), 0o644), os.WriteFile(filepath.Join(folder, "secret/key"), []byte("key"), 0o644),
		os.WriteFile(filepath.Join(folder, "out/run"), []byte("#!/bin/sh\n"), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program)
	c.Env = append(os.Environ(), confinedFolder+"="+folder)
	c.Dir = folder
	if text, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, text)
	}
}

// tryAll confines this process, and tries, in threads that were there before, in one that was
// not, and in a child, what is allowed and what is not.
func tryAll(folder string) error {
	const threads = 8
	confine, result := make(chan struct{}), make(chan error)
	var started sync.WaitGroup
	started.Add(threads)
	for i := range threads {
		go func() {
			runtime.LockOSThread()
			started.Done()
			<-confine
			result <- tryFiles(fmt.Sprint("out/", i))
		}()
	}
	started.Wait()
	how, err := Confine(Access{Read: []string{"in", "missing"}, Write: []string{"out"}}, os.Getenv)
	if err != nil || !strings.HasPrefix(how, "on, ") {
		return fmt.Errorf("Confine: %q, %w", how, err)
	}
	close(confine)
	for range threads {
		err = errors.Join(err, <-result)
	}
	go func() {
		runtime.LockOSThread() // without Unlock: the thread ends with it
		result <- tryFiles("out/new")
	}()
	return errors.Join(err, <-result, tryNetwork(), tryChild(), everyThread())
}

func denied(what string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: not denied: %v", what, err)
	}
	return nil
}

// tryFiles does what a job does, and what it must not do. name is of a file to make.
func tryFiles(name string) error {
	_, err := os.ReadFile("in")
	err = errors.Join(err, os.WriteFile(name, nil, 0o644))
	// A result is renamed out of its journal's folder.
	err = errors.Join(err, os.Mkdir(name+".d", 0o755), os.Rename(name, name+".d/f"), os.Link(name+".d/f", name),
		os.Remove(name+".d/f"), os.Remove(name+".d"), os.Remove(name))
	_, secret := os.ReadFile("secret/key")
	if !Denies(secret) {
		err = errors.Join(err, fmt.Errorf("Denies(%v) is false", secret))
	}
	if _, none := os.ReadFile("missing"); Denies(none) {
		err = errors.Join(err, fmt.Errorf("Denies(%v)", none))
	}
	_, list := os.ReadDir("secret")
	return errors.Join(err, denied("reading a secret", secret), denied("listing a folder", list),
		denied("writing into an input", os.WriteFile("in", nil, 0o644)), denied("making a file elsewhere", os.WriteFile("new", nil, 0o644)),
		denied("removing a file elsewhere", os.Remove("secret/key")), denied("running a result", exec.Command("out/run").Run()))
}

// tryNetwork uses sockets without net, whose listeners are of Multipath TCP, which Landlock does
// not know.
func tryNetwork() error {
	_, dialled := net.Dial("tcp", "127.0.0.1:1")
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(s)
	bound := syscall.Bind(s, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	return errors.Join(denied("connecting", dialled), denied("listening", bound))
}

// tryChild runs a program of the system's, which reads what it may and what it may not.
func tryChild() error {
	text, err := exec.Command("cat", "in", "secret/key").CombinedOutput()
	if err == nil || !bytes.HasPrefix(text, []byte("in")) || bytes.Contains(text, []byte("inkey")) || !bytes.Contains(text, []byte("Permission denied")) {
		return fmt.Errorf("a child: %v, %q", err, text)
	}
	return nil
}

// everyThread reports a thread that may still gain rights, as none does that Landlock restricts.
func everyThread() error {
	all, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(all) < 2 {
		return fmt.Errorf("threads: %d, %v", len(all), err)
	}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if !bytes.Contains(text, []byte("NoNewPrivs:\t1")) {
			return fmt.Errorf("%s: not restricted (%v)", file, err)
		}
	}
	return nil
}
