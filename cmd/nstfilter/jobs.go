package main

import (
	"errors"
	"fmt"
	"os"

	"nstfilter/pipeline/journal"
)

type jobsCmd struct {
	List  jobsListCmd  `cmd:"" default:"withargs" help:"List the films and image sequences that were begun and not finished, and the batches of photos with what is done of them."`
	Clean jobsCleanCmd `cmd:"" help:"Remove what is kept of them to go on from, and to know what is done. A job that a process works on stays."`
}

type jobsListCmd struct {
	Folders []string `arg:"" optional:"" help:"Folders of results; the current one if none is named."`
}

func (c jobsListCmd) Run(*commandEnv) error {
	return eachJob(c.Folders, func(u *journal.Unfinished) error {
		fmt.Println(jobText(u))
		return nil
	})
}

type jobsCleanCmd struct {
	Folders []string `arg:"" optional:"" help:"Folders of results; the current one if none is named."`
}

func (c jobsCleanCmd) Run(*commandEnv) error {
	return eachJob(c.Folders, func(u *journal.Unfinished) error {
		if u.Busy {
			fmt.Fprintln(os.Stderr, "nstfilter: left alone:", jobText(u))
			return nil
		}
		fmt.Println("removed:", jobText(u))
		return u.Remove()
	})
}

func eachJob(folders []string, do func(*journal.Unfinished) error) (err error) {
	if len(folders) == 0 {
		folders = []string{"."}
	}
	for _, folder := range folders {
		all, listErr := journal.List(folder)
		err = errors.Join(err, listErr)
		for i := range all {
			err = errors.Join(err, do(&all[i]))
		}
	}
	return err
}

// jobText returns one line: out/o.mkv: 40 of 51 frames of in.mkv, 12 MB, saved 2026-11-28 01:30.
func jobText(u *journal.Unfinished) string {
	size := fmt.Sprintf("%.3g MB", float64(u.Bytes)/1e6)
	switch {
	case u.Photos > 0:
		return fmt.Sprintf("%s: %d photos", u.Name(), u.Photos)
	case u.Input == "":
		return fmt.Sprintf("%s: its record is damaged, %s", u.Name(), size)
	}
	frames := fmt.Sprint(u.Done)
	if u.Frames > 0 {
		frames += fmt.Sprintf(" of %d", u.Frames)
	}
	text := fmt.Sprintf("%s: %s frames of %s, %s", u.Name(), frames, u.Input, size)
	if u.Done > 0 {
		text += ", saved " + u.Saved.Format("2006-01-02 15:04")
	}
	if u.Busy {
		text += ", being painted"
	}
	return text
}
