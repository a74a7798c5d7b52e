// Command nstfilter repaints photos and film in the style of any painting.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"nstfilter/pipeline"
	"nstfilter/pipeline/engines"
	"nstfilter/video/outfile"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitPartly      = 3 // an input is damaged; what could be read of it is painted
	exitInterrupted = 130
)

func main() {
	if os.Getenv("GOGC") == "" {
		// The heap is a few big pictures. Frequent collections cost little, and Go's default
		// of 100 would let garbage double the memory.
		debug.SetGCPercent(10)
	}
	os.Exit(runProgram(os.Args[1:]))
}

func runProgram(args []string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	defer watchSignals(interrupt, cancel)()

	command, err := parseArgs(args, &commandEnv{ctx: ctx, stop: stop})
	if err == nil && command != nil {
		err = command()
	}
	var wrong pipeline.UsageError
	var choice engines.ChoiceError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, pipeline.ErrInterrupted):
		return exitInterrupted
	case errors.As(err, &wrong), errors.As(err, &choice):
		fmt.Fprintf(os.Stderr, "nstfilter: error: %v\nnstfilter --help lists the options\n", err)
		return exitUsage
	}
	fmt.Fprintln(os.Stderr, "nstfilter: error:", err)
	if errors.As(err, &pipeline.PartlyError{}) {
		return exitPartly
	}
	return exitFailed
}

// surviveClosedPipes lets a write to a pipe without a reader fail instead of ending the
// process: a film must not be lost because nobody reads its progress any more. The function
// that it returns ends that.
func surviveClosedPipes() func() {
	ignored := make(chan os.Signal, 1) // to ignore the signal would let ffmpeg ignore it too
	signal.Notify(ignored, syscall.SIGPIPE)
	return func() { signal.Stop(ignored) }
}

// forcedEnd is how long the job may take to end after the second signal. It may wait for what
// nothing interrupts, as the opening of a FIFO.
const forcedEnd = 1500 * time.Millisecond

// watchSignals calls first at the first SIGINT, SIGTERM or SIGHUP, and second at the next
// one, after which the process ends within forcedEnd. The function that it returns ends that.
func watchSignals(first, second func()) func() {
	signals, done, ended := make(chan os.Signal, 2), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		defer close(ended)
		for _, act := range []func(){func() {
			fmt.Fprintln(os.Stderr, "nstfilter: interrupted: finishing the frame at hand; interrupt again to stop now")
			first()
		}, func() {
			second()
			time.AfterFunc(forcedEnd, func() {
				outfile.AbortAll()
				os.Exit(exitInterrupted)
			})
		}} {
			select {
			case <-signals:
				act()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
		<-ended
	}
}
