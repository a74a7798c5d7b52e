package pipeline

import "testing"

// Another number of threads or another GPU of the same kind goes on with a job.
func TestUndecisive(t *testing.T) {
	for name, want := range map[string]string{
		"cpu avx2, 16 threads":             "cpu avx2",
		"cpu plain, 1 thread":              "cpu plain",
		"cuda:3 NVIDIA H100, tensor cores": "NVIDIA H100, tensor cores",
		"gorgonia":                         "gorgonia",
	} {
		if got := undecisive.ReplaceAllString(name, ""); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
