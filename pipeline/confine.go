package pipeline

import (
	"fmt"
	"path/filepath"

	"nstfilter/filter/engine"
	"nstfilter/pipeline/sandbox"
)

// confine calls Job.Confine unless --no-sandbox says otherwise. Engines are open by then, for
// drivers make their device files, and name their threads, at the start.
func (j *Job) confine(tasks []paintTask, opened []engine.Engine, r reporter) error {
	how := "off, by --no-sandbox"
	switch {
	case j.Confine == nil:
		return nil
	case !j.NoSandbox:
		var err error
		if how, err = j.Confine(j.access(tasks, opened)); err != nil {
			return fmt.Errorf("the sandbox failed: %w: --no-sandbox goes without it", err)
		}
	}
	if j.Verbose {
		r.say("sandbox " + how)
	}
	return nil
}

// access returns what the job opens from now on.
func (j *Job) access(tasks []paintTask, opened []engine.Engine) sandbox.Access {
	a := sandbox.Access{GPU: j.Video.HWAccel != "" || j.Video.Encoder != "auto"}
	for _, e := range opened {
		if _, ok := e.(engine.DeviceMemory); ok {
			a.GPU = true
		}
	}
	reads, writes := pathSet{}, pathSet{}
	for _, file := range j.filesRead() {
		reads.add(file)
	}
	reads.add(j.Coherence.FlowFrom)
	writes.add(j.TempDir)
	for _, t := range tasks {
		if t.isPipe() {
			continue
		}
		if t.sequence == nil {
			a.Film = a.Film || !t.isPhoto()
			reads.add(t.in)
			writes.addFolder(t.out)
			continue
		}
		writes.addFolder(t.pattern) // of its journal
		for _, p := range t.sequence {
			reads.addFolder(p.in)
			writes.addFolder(p.out)
		}
	}
	a.Read, a.Write = reads.list, writes.list
	return a
}

// pathSet lists paths, each once.
type pathSet struct {
	has  map[string]bool
	list []string
}

// add adds path, if it is not empty.
func (s *pathSet) add(path string) {
	if path == "" || s.has[path] {
		return
	}
	if s.has == nil {
		s.has = map[string]bool{}
	}
	s.has[path] = true
	s.list = append(s.list, path)
}

// addFolder adds the folder of a file, and that of the file that it links to.
func (s *pathSet) addFolder(file string) {
	s.add(filepath.Dir(file))
	if target, err := filepath.EvalSymlinks(file); err == nil {
		s.add(filepath.Dir(target))
	}
}
