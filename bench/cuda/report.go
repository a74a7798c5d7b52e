package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"nstfilter/bench/problem"
)

// report finishes what is known of the programs, and prints a table and lines of JSON.
func (r *runner) report(c, folder string, p *problem.Problem, all []*program) error {
	cost := costOf(p)
	if err := r.compare(cost, all); err != nil {
		return err
	}
	shown := slices.DeleteFunc(slices.Clone(all), func(q *program) bool { return q.absent })
	slices.SortStableFunc(shown, func(a, b *program) int {
		return cmp.Or(cmp.Compare(slices.Index(classes, a.class), slices.Index(classes, b.class)), cmp.Compare(a.Seconds, b.Seconds))
	})
	r.table(os.Stdout, c, cost, shown)
	if r.lines == nil {
		return nil
	}
	for _, q := range shown {
		line := struct {
			Case   string  `json:"case"`
			Card   card    `json:"card"`
			Flops  float64 `json:"flops"`
			Values float64 `json:"values"`
			*program
		}{c, r.card, cost.Flops, cost.Values, q}
		if err := r.lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// compare fills in what takes two programs, or one and the card. The ratio is that of
// PyTorch's time to ours in the same class: of one of ours to the fastest PyTorch, of a
// PyTorch to our fastest.
func (r *runner) compare(cost cost, all []*program) error {
	oracle, err := problem.ReadFloats(all[0].job.Gradient)
	if err != nil {
		return fmt.Errorf("%s: %s", all[0].Name, cmp.Or(all[0].Error, err.Error()))
	}
	for _, q := range all {
		if q.Seconds == 0 {
			continue
		}
		gradient, err := problem.ReadFloats(q.job.Gradient)
		if err != nil {
			return err
		}
		q.Cosine = problem.Cosine(gradient, oracle)
		if best := fastest(all, q.class, !q.Own); best != nil {
			q.Ratio = best.Seconds / q.Seconds
			if !q.Own {
				q.Ratio = 1 / q.Ratio
			}
		}
		q.Flops = cost.Flops / q.Seconds
		q.OfFP32, q.OfBF16 = q.Flops/r.card.FP32, q.Flops/r.card.BF16
	}
	return nil
}

func (r *runner) table(w io.Writer, c string, cost cost, shown []*program) {
	fmt.Fprintf(w, "\n%s on %s, turns: %d\n", c, r.card.Name, r.rounds)
	fmt.Fprintf(w, "%.4g TFLOP an iteration: %.4g ms at the card's fp32 peak, %.4g ms at its bf16 peak; activations and gradients written and read once: %.4g ms of 4 bytes, %.4g ms of 2\n",
		cost.Flops/1e12, 1e3*cost.Flops/r.card.FP32, 1e3*cost.Flops/r.card.BF16, 1e3*cost.memoryTime(4, r.card), 1e3*cost.memoryTime(2, r.card))
	width := 0
	for _, q := range shown {
		width = max(width, len(title(q)))
	}
	fmt.Fprintf(w, "  %-*s %9s %9s %6s %7s %12s %8s %8s %8s\n", width, "", "ms", "by host", "ratio", "MiB", "cosine", "TFLOP/s", "of fp32", "of bf16")
	for _, q := range shown {
		if q.Error != "" {
			fmt.Fprintf(w, "  %-*s %s\n", width, title(q), firstLine(q.Error))
			continue
		}
		host, ratio := "", ""
		if q.Host > 0 {
			host = fmt.Sprintf("%.3f", 1e3*q.Host)
		}
		if q.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f", q.Ratio)
		}
		fmt.Fprintf(w, "  %-*s %9.3f %9s %6s %7.0f %12.9f %8.2f %7.1f%% %7.1f%%\n", width, title(q), 1e3*q.Seconds, host, ratio,
			float64(q.Memory)/(1<<20), q.Cosine, q.Flops/1e12, 100*q.OfFP32, 100*q.OfBF16)
	}
}

// firstLine leaves the rest to the JSON.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// title is a program's version, layout and precision.
func title(q *program) string {
	if q.Version == "" { // it has not said it
		return q.Name + ", " + q.Precision
	}
	if _, how, ok := strings.Cut(q.Name, "PyTorch "); ok {
		return q.Version + " " + how + ", " + q.Precision
	}
	return q.Version + ", " + q.Precision
}
