package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"nstfilter/pipeline/engines"
	"nstfilter/pipeline/recipe"
)

// browser starts a headless Chromium, and returns a context for chromedp. Where there is none the
// test is skipped.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no chromium in PATH: the page of --preview is not tested")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 900))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// painting is a nstfilter --preview that runs.
type painting struct {
	url  string
	said chan string // all that it says, once it has ended
	cmd  *exec.Cmd
}

var previewAddress = regexp.MustCompile(`preview: (http://\S+)`)

// startPainting runs this program in a folder, and waits for the address of its page.
func startPainting(t *testing.T, folder string, args ...string) *painting {
	t.Helper()
	c := exec.Command("nstfilter", args...)
	c.Dir = folder
	c.Env = append(os.Environ(), "XDG_CONFIG_HOME="+filepath.Join(folder, "config"))
	stderr, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	p, address := &painting{said: make(chan string, 1), cmd: c}, make(chan string, 1)
	go func() {
		var said strings.Builder
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			said.WriteString(lines.Text() + "\n")
			if m := previewAddress.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
		p.said <- said.String()
	}()
	select {
	case p.url = <-address:
	case said := <-p.said:
		t.Fatalf("it ended: %s", said)
	}
	return p
}

// end waits for its end.
func (p *painting) end() (said string, err error) {
	said = <-p.said
	return said, p.cmd.Wait()
}

// screenshot keeps a picture of the page under screenshots/, which git ignores.
func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(screenshots, name+".png")
	if err := errors.Join(os.MkdirAll(screenshots, 0o755), os.WriteFile(file, shot, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// screenshots is a folder, from this package's.
const screenshots = "../../screenshots"

// scheme asks for a light or a dark page.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		p := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}}
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, p)
		return chromedp.Void{}, err
	}
}

// do runs actions on the page.
func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// ask returns the value of an expression of the page, once it is neither false nor empty.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Poll[T](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second)))
	if err != nil {
		state, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify({now, ended, cuts: [...cuts], pictures: document.body.dataset.pictures, message: $("message").textContent})`))
		t.Fatalf("%s: %v; the page has %s", expression, err, state)
	}
	return v
}

// A photo is watched on the page, its weights are changed there, it is stopped and kept; the
// result says what was done by hand.
func TestPreviewOfPhoto(t *testing.T) {
	if !slices.Contains(engines.Builtin.Names(), "cpu") || testing.Short() {
		t.Skip("painting takes C, and a minute")
	}
	ctx, folder := browser(t), t.TempDir()
	styles, err := filepath.Abs("../../examples/styles")
	if err != nil {
		t.Fatal(err)
	}
	p := startPainting(t, folder, "-v", "--preview", "--style", filepath.Join(styles, "night.jpg"), "--size", "360", "--iterations", "30,5000", filepath.Join(styles, "scream.jpg"), "out.png")
	do(t, ctx, chromedp.Navigate(p.url))
	ask[bool](t, ctx, `now !== null && document.body.dataset.pictures > 2 && curve.length > 10 && content !== null`)
	if text := ask[string](t, ctx, `$("spoken").textContent`); !strings.Contains(text, " percent: scale ") {
		t.Errorf("a screen reader says %q", text)
	}
	ask[bool](t, ctx, `now.scale === 2 && now.step > 10`)
	screenshot(t, ctx, "photo-light")
	do(t, ctx, scheme("dark"))
	screenshot(t, ctx, "photo-dark")

	// A weight is moved by the keyboard, and the losses show it.
	before := ask[float64](t, ctx, `curve.at(-1).c`)
	do(t, ctx, chromedp.Focus("#by-content"), chromedp.KeyEvent(strings.Repeat(kb.ArrowRight, 20)))
	ask[bool](t, ctx, `now.factors.content === 4 && now.weights.content === "0.8,0.6"`)
	if after := ask[float64](t, ctx, `curve.at(-1).c > `+fmt.Sprint(2*before)+` && curve.at(-1).c`); after < before {
		t.Error(before, after)
	}
	// It waits, and goes on.
	do(t, ctx, chromedp.Click("#pause"))
	ask[bool](t, ctx, `now.paused && $("pause").textContent === "Resume"`)
	do(t, ctx, chromedp.Click("#pause"))
	ask[bool](t, ctx, `!now.paused`)
	// The photo is under the picture.
	do(t, ctx, chromedp.Focus("#split"), chromedp.KeyEvent(strings.Repeat(kb.ArrowRight, 40)))
	ask[bool](t, ctx, `parseFloat($("divider").style.left) > 100`)
	do(t, ctx, scheme("light"), chromedp.Blur("#split"))
	screenshot(t, ctx, "photo-split") // docs/preview.jpg is one of these
	// A preset has what was changed.
	do(t, ctx, chromedp.SendKeys("#name", "mine"), chromedp.Click("#preset button"))
	ask[bool](t, ctx, `$("message").textContent === "Saved: --preset mine takes it up."`)
	if text, err := os.ReadFile(filepath.Join(folder, "config/nstfilter/presets/mine.json")); err != nil || !strings.Contains(string(text), `"content-weight": "0.8,0.6"`) {
		t.Errorf("the preset is %s (%v)", text, err)
	}
	do(t, ctx, chromedp.Click("#preset button"))
	ask[bool](t, ctx, `$("message").textContent.includes("there is a preset mine")`)

	do(t, ctx, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), scheme("light"))
	if wide := ask[float64](t, ctx, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("on a phone the page is %g wide", wide)
	}
	screenshot(t, ctx, "photo-phone")
	do(t, ctx, chromedp.Click("#stop"))
	if text := ask[string](t, ctx, `ended`); text != "Done." {
		t.Errorf("the page says %q at the end", text)
	}
	if said, err := p.end(); err != nil || landlock() && !strings.Contains(said, "sandbox on") {
		t.Fatalf("%v: %s", err, said)
	}
	file, err := os.Open(filepath.Join(folder, "out.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	made, err := recipe.Find(file)
	if err != nil {
		t.Fatal(err)
	}
	hand := strings.Join(made.ByHand, "; ")
	if !regexp.MustCompile(`(^|; )scale 2, step \d+: content-weight × 4; scale 2, step \d+: stopped$`).MatchString(hand) {
		t.Errorf("by hand: %q", hand)
	}
	c := exec.Command("nstfilter", "explain", "out.png")
	c.Dir = folder
	if text, err := c.Output(); err != nil || !strings.Contains(string(text), "# by hand, which the command does not do: "+made.ByHand[0]+"\n") {
		t.Errorf("explain says %s (%v)", text, err)
	}
}

// Of a film the page shows the frames so far and its scenes. Its weights stay as they are while
// its frames are kept to go on with; it is stopped behind a frame, and gone on with.
func TestPreviewOfFilm(t *testing.T) {
	if !slices.Contains(engines.Builtin.Names(), "cpu") || testing.Short() {
		t.Skip("painting takes C, and half a minute")
	}
	ctx, folder := browser(t), t.TempDir()
	style, err := filepath.Abs("../../examples/styles/mosaic.jpg")
	if err == nil {
		err = errors.Join(os.Mkdir(filepath.Join(folder, "in"), 0o755), os.Mkdir(filepath.Join(folder, "out"), 0o755))
	}
	const frames, cut = 400, 4
	for i := range frames {
		if err == nil {
			err = writePNG(filepath.Join(folder, "in", fmt.Sprintf("%03d.png", i+1)), waves(160, 96, 2+3*min(1, i/cut)))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	command := []string{"--preview", "--style", style, "--iterations", "6", "--cut", "0.3", "in/%03d.png", "out/%03d.png"}
	p := startPainting(t, folder, command...)
	do(t, ctx, chromedp.Navigate(p.url))
	ask[bool](t, ctx, `now !== null && now.done > 6 && $("strip").children.length > 6 && cuts.size === 2 && document.body.dataset.pictures > 2`)
	if text := ask[string](t, ctx, `$("track").getAttribute("aria-label")`); !strings.Contains(text, " of 400 frames are done, in 2 scenes") {
		t.Errorf("a screen reader says %q", text)
	}
	if text := ask[string](t, ctx, `$("by-style").disabled && $("next").disabled && $("why").textContent`); !strings.Contains(text, "--no-resume") {
		t.Errorf("the page says %q", text)
	}
	screenshot(t, ctx, "film-light")
	do(t, ctx, scheme("dark"), chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	screenshot(t, ctx, "film-phone-dark")
	do(t, ctx, chromedp.Click("#stop"))
	if text := ask[string](t, ctx, `ended`); text != "Stopped. What was done is kept." {
		t.Errorf("the page says %q at the end", text)
	}
	said, err := p.end()
	if p.cmd.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(said, "Run the same command again to go on") {
		t.Errorf("%v: %s", err, said)
	}
}

// A try shows its first picture soon, waits when it is done, is painted on when a weight is moved,
// and leaves a preset that paints in full.
func TestTry(t *testing.T) {
	if !slices.Contains(engines.Builtin.Names(), "cpu") || testing.Short() {
		t.Skip("painting takes C, and half a minute")
	}
	ctx, folder := browser(t), t.TempDir()
	styles, err := filepath.Abs("../../examples/styles")
	if err != nil {
		t.Fatal(err)
	}
	p := startPainting(t, folder, "try", filepath.Join(styles, "night.jpg"), filepath.Join(styles, "scream.jpg"))
	do(t, ctx, chromedp.Navigate(p.url))
	ask[bool](t, ctx, `now !== null && held() && $("where").textContent.endsWith("done: move a weight to paint on")`)
	steps := ask[float64](t, ctx, `curve.at(-1).n`)
	do(t, ctx, chromedp.Focus("#by-tv"), chromedp.KeyEvent(kb.End))
	ask[bool](t, ctx, fmt.Sprintf(`now.factors.tv === 16 && held() && curve.at(-1).n >= %g`, steps+15))
	do(t, ctx, chromedp.SendKeys("#name", "tried"), chromedp.Click("#preset button"))
	ask[bool](t, ctx, `$("message").textContent.startsWith("Saved: ")`)
	text, err := os.ReadFile(filepath.Join(folder, "config/nstfilter/presets/tried.json"))
	if want := `"tv-weight": "160,320,320,960,2400,4800"`; err != nil || !strings.Contains(string(text), want) || strings.Count(string(text), ":") != 2 {
		t.Errorf("the preset is %s (%v), want the style and %s", text, err, want)
	}
	do(t, ctx, chromedp.Click("#stop"))
	if said, err := p.end(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	c := exec.Command("nstfilter", "explain", "scream.try.png")
	c.Dir = folder
	said, err := c.Output()
	for _, want := range []string{"--size=384", "--iterations=25,15", "# by hand, which the command does not do: scale 3, step 16: ", "tv-weight × 16\n"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("explain (%v) says %s, not %q", err, said, want)
		}
	}
	if strings.Contains(string(said), "stopped") {
		t.Errorf("it was done when it was stopped, and explain says %s", said)
	}
}
