//go:build cuda

package cuda

import (
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter/engine/cuda/kernels"
)

// kind is all kernels that take the same arguments.
type kind struct {
	name *regexp.Regexp
	args reflect.Type
}

// of makes a kind of the kernels whose names end in one of ends.
func of[A any](k kernel[A], ends ...string) kind {
	return kind{regexp.MustCompile("^(wgmma_)?" + string(k) + "(" + strings.Join(ends, "|") + ")$"), reflect.TypeFor[A]()}
}

var (
	formats = []string{"f32", "split"}
	widths  = []string{"32", "64", "96", "128"}
	splits  = []string{"32_split", "64_split", "96_split", "128_split"}
	sizes   = []string{`\d+_8`, `\d+_16`}
	kinds   = []kind{
		of(contentDeltaKernel, formats...), of(contentSumKernel, formats...), of(addPartialsKernel), of(copyRowsKernel),
		of(momentsKernel), of(poolKernel, formats...), of(unpoolKernel, formats...),
		of(firstKernel), of(firstBackKernel), of(firstBorderKernel), of(clearMaskedKernel),
		of(splitFirstKernel), of(firstSplitKernel), of(firstBackSplitKernel),
		of(styleDeltaKernel), of(styleGradientKernel), of(meanGradientKernel), of(matrixProductKernel),
		of(vectorCombineKernel), of(vectorDotsKernel), of(sumPartialsKernel), of(vectorAdamKernel),
		of(enlargeKernel), of(enlargeAdjointKernel), of(tvKernel), of(gamutKernel), of(priorKernel),
		of(convKernel, widths...), of(convFilterKernel), of(gramKernel, widths...), of(gramSumKernel), of(packMatrixKernel),
		of(multiplyKernel, widths...), of(addTapKernel, widths...), of(winogradInputKernel),
		of(winogradMultiplyKernel, widths...), of(winogradOutputKernel), of(winogradFilterKernel),
		of(gramSplitKernel), of(gramJoinKernel), of(multiplySplitKernel, splits...), of(addTapSplitKernel, splits...),
		of(splitFilterKernel), of(matrixLargestKernel), of(splitMatrixKernel),
		of(thereKernel, sizes...), of(backKernel, sizes...),
	}
)

// The arguments of every kernel have the order, the names and the types of its parameters in the
// source, and the layout of those in the PTX.
func TestArgumentsAreTheParameters(t *testing.T) {
	used := make(map[reflect.Type]bool)
	for source, ptx := range map[string]string{"base.cu": kernels.Base(), "simt.cu": kernels.SIMT(),
		"tensor.cu": kernels.Tensor(), "ampere.cu": kernels.Ampere(), "hopper.cu": kernels.Hopper()} {
		declared, compiled := declaredParameters(t, source), compiledParameters(ptx)
		if len(declared) != len(compiled) {
			t.Errorf("%s declares %d kernels, its PTX has %d", source, len(declared), len(compiled))
		}
		for name, parameters := range compiled {
			var all []reflect.Type
			for _, k := range kinds {
				if k.name.MatchString(name) {
					all = append(all, k.args)
				}
			}
			if len(all) != 1 {
				t.Errorf("%s is of %d kinds of kernels: %v", name, len(all), all)
				continue
			}
			used[all[0]] = true
			if got := layout(t, all[0]); !slices.Equal(got, parameters) {
				t.Errorf("%s takes %v, %s is %v", name, parameters, all[0], got)
			}
			if got := fields(all[0]); !slices.Equal(got, declared[name]) {
				t.Errorf("%s takes\n%v, %s has\n%v", name, declared[name], all[0], got)
			}
		}
	}
	for _, k := range kinds {
		if !used[k.args] {
			t.Errorf("no kernel takes %s", k.args)
		}
	}
}

// layout returns the types of a struct's fields as the PTX names them, without gaps.
func layout(t *testing.T, args reflect.Type) (all []string) {
	if args.NumField() > maxParams {
		t.Errorf("%s has %d fields, %d is the most", args, args.NumField(), maxParams)
	}
	for i := range args.NumField() {
		f := args.Field(i)
		if f.Offset != uintptr(8*i) || f.Type.Size() != 8 {
			t.Errorf("%s.%s has %d bytes at %d", args, f.Name, f.Type.Size(), f.Offset)
		}
		kind := "u64"
		if f.Type.Kind() == reflect.Float64 {
			kind = "f64"
		}
		all = append(all, kind)
	}
	return all
}

// fields returns the fields of a struct, as "ptr dstHi".
func fields(args reflect.Type) (all []string) {
	names := map[reflect.Type]string{reflect.TypeFor[ptr](): "ptr", reflect.TypeFor[int](): "int", reflect.TypeFor[float64](): "float64"}
	for i := range args.NumField() {
		all = append(all, names[args.Field(i).Type]+" "+args.Field(i).Name)
	}
	return all
}

var (
	entry      = regexp.MustCompile(`(?s)\.entry (\w+)\((.*?)\)`)
	parameter  = regexp.MustCompile(`\.param \.(\w+)`)
	global     = regexp.MustCompile(`__attribute__\(\(global\)\) void ([^{]*)\{`)
	definition = regexp.MustCompile(`(\w+) ?\(([^()]*)\) ?$`)
	underscore = regexp.MustCompile(`_[a-z]`)
)

// compiledParameters returns the types of the parameters of a module's kernels.
func compiledParameters(ptx string) map[string][]string {
	all := make(map[string][]string)
	for _, e := range entry.FindAllStringSubmatch(ptx, -1) {
		all[e[1]] = nil
		for _, p := range parameter.FindAllStringSubmatch(e[2], -1) {
			all[e[1]] = append(all[e[1]], p[1])
		}
	}
	return all
}

// declaredParameters returns the parameters of a source's kernels, as fields does.
func declaredParameters(t *testing.T, source string) map[string][]string {
	t.Helper()
	text, err := exec.Command("cc", "-E", "-P", "-x", "c", "-D__CUDA_ARCH__=800", "kernels/"+source).Output()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]string)
	for _, g := range global.FindAllStringSubmatch(strings.Join(strings.Fields(string(text)), " "), -1) {
		d := definition.FindStringSubmatch(g[1])
		for p := range strings.SplitSeq(d[2], ",") {
			words := strings.Fields(strings.ReplaceAll(p, "*", " * "))
			kind := "ptr"
			switch {
			case slices.Contains(words, "*") || strings.HasSuffix(words[0], "_plane"):
			case words[0] == "long":
				kind = "int"
			case words[0] == "double":
				kind = "float64"
			default:
				kind = words[0]
			}
			name := underscore.ReplaceAllStringFunc(words[len(words)-1], func(s string) string { return strings.ToUpper(s[1:]) })
			all[d[1]] = append(all[d[1]], kind+" "+name)
		}
	}
	return all
}

// A launch allocates nothing.
func TestLaunchAllocatesNothing(t *testing.T) {
	e := newEngine(t, "simt")
	e.device.do(func() {
		p := e.device.mustAlloc("numbers", 400)
		e.device.clear(p, 400)
		n := testing.AllocsPerRun(10, func() {
			clearMaskedKernel.spread(e.device, 1, clearMaskedArgs{dx: p, mask: p, n: 1})
		})
		e.device.wait()
		e.device.free(p)
		if n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
