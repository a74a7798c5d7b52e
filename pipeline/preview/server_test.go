package preview

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"testing"
	"time"

	"nstfilter/filter"
)

func listen(t *testing.T, address string, o Settings) *Server {
	t.Helper()
	o.Options = filter.DefaultOptions()
	if o.Stop == nil {
		o.Stop = func(bool) {}
	}
	s, err := Listen(address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-s.closing:
		default:
			s.Close("")
		}
	})
	return s
}

// request sends a request with headers, "Name: value", and returns the status and the body.
func request(t *testing.T, client *http.Client, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

const (
	asJSON = "Content-Type: application/json"
	pause  = `{"do": "pause"}`
)

func TestGuard(t *testing.T) {
	s := listen(t, "", Settings{})
	address := strings.TrimSuffix(s.URL(), "/")
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		want                     int
	}{
		{"the page", "GET", "/", "", nil, 200},
		{"its script", "GET", "/preview.js", "", nil, 200},
		{"another file", "GET", "/../server.go", "", nil, 404},
		{"by name", "GET", "/", "", []string{"Host: localhost:99"}, 200},
		{"by IPv6", "GET", "/", "", []string{"Host: [::1]:99"}, 200},
		{"a rebound name", "GET", "/", "", []string{"Host: evil.example"}, 421},
		{"no name", "GET", "/", "", []string{"Host: :80"}, 421},
		{"a page elsewhere", "POST", "/control", pause, []string{asJSON, "Origin: http://evil.example"}, 403},
		{"another port", "POST", "/control", pause, []string{asJSON, "Origin: http://127.0.0.1:1"}, 403},
		{"a frame without an origin", "POST", "/control", pause, []string{asJSON, "Origin: null"}, 403},
		{"another site", "POST", "/control", pause, []string{asJSON, "Sec-Fetch-Site: cross-site"}, 403},
		{"a form", "POST", "/control", pause, []string{"Content-Type: text/plain", "Origin: " + address}, 415},
		{"no order", "POST", "/control", `{"do": "explode"}`, []string{asJSON, "Origin: " + address}, 400},
		{"no number", "POST", "/control", `{"factors": {"content": -1, "style": 1, "tv": 1}}`, []string{asJSON, "Origin: " + address}, 400},
		{"too long", "POST", "/control", `{"do": "` + strings.Repeat("x", 5000) + `"}`, []string{asJSON, "Origin: " + address}, 400},
		{"by GET", "GET", "/control", "", nil, 404},
		{"presets that nobody keeps", "POST", "/preset", `{"name": "a"}`, []string{asJSON, "Origin: " + address}, 501},
		{"the page's own", "POST", "/control", pause, []string{asJSON, "Origin: " + address, "Sec-Fetch-Site: same-origin"}, 204},
	} {
		if s.Live.Orders().Paused {
			t.Fatalf("before %s: an order was obeyed", c.name)
		}
		answer, text := request(t, http.DefaultClient, c.method, address+c.path, c.body, c.headers...)
		if answer.StatusCode != c.want {
			t.Errorf("%s: %d %q, want %d", c.name, answer.StatusCode, text, c.want)
		}
		if p := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'self'") || answer.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: headers %v", c.name, answer.Header)
		}
	}
	if !s.Live.Orders().Paused {
		t.Error("the page's own order was not obeyed")
	}
}

func TestToken(t *testing.T) {
	const token = "correct horse & battery"
	s := listen(t, "", Settings{Token: token})
	bare, _, _ := strings.Cut(s.URL(), "?")
	stranger := &http.Client{}
	for _, url := range []string{bare, bare + "preview.js", bare + "events", bare + "?token=wrong", bare + "?token="} {
		if answer, text := request(t, stranger, "GET", url, ""); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d %q", url, answer.StatusCode, text)
		}
	}
	if answer, _ := request(t, stranger, "POST", bare+"control", pause, asJSON); answer.StatusCode != http.StatusForbidden || s.Live.Orders().Paused {
		t.Error("a stranger has paused it")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	known := &http.Client{Jar: jar}
	answer, text := request(t, known, "GET", s.URL(), "")
	if answer.StatusCode != 200 || answer.Request.URL.RawQuery != "" || !strings.Contains(text, "<title>") {
		t.Errorf("with the token: %d at %s", answer.StatusCode, answer.Request.URL)
	}
	if answer, _ := request(t, known, "POST", bare+"control", pause, asJSON); answer.StatusCode != 204 {
		t.Errorf("an order with the cookie: %d", answer.StatusCode)
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ address, token, refused string }{
		{"127.0.0.1:0", "", ""}, {"localhost:0", "", ""}, {"[::1]:0", "", ""}, {"0.0.0.0:0", "a long enough token", ""}, {"0", "", ""},
		{":0", "", "add --preview-token"}, {"0.0.0.0:0", "", "add --preview-token"}, {"192.0.2.1:80", "", "add --preview-token"},
		{"0.0.0.0:0", "short", "can be guessed"}, {"here", "", "is no address"}, {"127.0.0.1:99999", "", "invalid port"},
	} {
		s, err := Listen(c.address, Settings{Token: c.token})
		switch {
		case err == nil:
			s.Close("")
			if c.refused != "" {
				t.Errorf("%q is opened", c.address)
			}
		case c.refused == "" && strings.HasPrefix(c.address, "[::1]"): // a machine without IPv6
		case c.refused == "" || !strings.Contains(err.Error(), c.refused):
			t.Errorf("%q: %v", c.address, err)
		}
	}
}

// viewer reads the events of a page.
type viewer struct {
	body  io.Closer
	lines *bufio.Scanner
}

func view(t *testing.T, s *Server) *viewer {
	t.Helper()
	answer, err := http.Get(s.URL() + "events")
	if err != nil || answer.StatusCode != 200 {
		t.Fatal(answer, err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<24)
	return &viewer{answer.Body, lines}
}

// next returns the data of the next event of a name.
func (v *viewer) next(name string) (data []byte, err error) {
	for v.lines.Scan() {
		if v.lines.Text() == "event: "+name && v.lines.Scan() {
			return bytes.TrimPrefix(v.lines.Bytes(), []byte("data: ")), nil
		}
	}
	return nil, errors.Join(errors.New("no event "+name), v.lines.Err())
}

func get[T any](t *testing.T, v *viewer, name string) (of T) {
	t.Helper()
	data, err := v.next(name)
	if err == nil {
		err = json.Unmarshal(data, &of)
	}
	if err != nil {
		t.Fatal(err)
	}
	return of
}

func grey(w, h int, level float32) *filter.Frame {
	f := filter.NewFrame(w, h)
	for i := range f.Pix {
		f.Pix[i] = level
	}
	return f
}

// A viewer gets the pictures of a film, small ones of its frames, its scenes and losses, and the
// last picture before the end. Nobody who looks means no pictures.
func TestEvents(t *testing.T) {
	s := listen(t, "", Settings{})
	s.SetStyles([]*filter.Frame{grey(600, 300, 0.2)})
	s.Open("folder/film.mkv", 3, 0)
	s.Steer(false)
	if s.board.watched() {
		t.Error("somebody looks")
	}
	for i := range 3 {
		f := grey(1400, 700, float32(i)/4)
		f.Index = i
		s.Begin(f)
		s.Step(filter.Progress{Scale: 1, Scales: 1, Iteration: 1, Iterations: 5, Losses: filter.Losses{Total: 0.123456}}, 0, 0, 0.5, 3*time.Second)
		s.Painted(f, i != 1)
		s.Written(int64(i)+1, 1)
	}
	v := view(t, s)
	content := get[[]byte](t, v, "content")
	m, err := jpeg.Decode(bytes.NewReader(content))
	if err != nil || m.Bounds().Dx() != mostSide || m.Bounds().Dy() != mostSide/2 {
		t.Fatal(m.Bounds(), err)
	}
	if c := get[struct{ Points []point }](t, v, "curve"); len(c.Points) != 3 || c.Points[2].Total != 0.1235 || c.Points[2].Step != 2 {
		t.Errorf("curve %+v", c)
	}
	if f := get[struct {
		Frames []small
		Cuts   []int
	}](t, v, "frames"); len(f.Frames) != 3 || !slices.Equal(f.Cuts, []int{0, 2}) {
		t.Errorf("%d frames, scenes at %v", len(f.Frames), f.Cuts)
	}
	n := get[now](t, v, "now")
	if n.Input != "film.mkv" || n.Done != 3 || n.Frame != 2 || n.Why == "" || n.Left != 3 || n.Weights.TV != "10,20,20,60,150,300" {
		t.Errorf("now %+v", n)
	}
	get[[]byte](t, v, "picture")
	last := grey(64, 64, 1)
	last.Index = 3
	s.Painted(last, false)
	closed := make(chan error)
	go func() { closed <- s.Close("Done for good.") }()
	var pictures [][]byte
	for {
		if !v.lines.Scan() {
			t.Fatal("no end")
		}
		name := v.lines.Text()
		if name == "event: picture" {
			v.lines.Scan()
			var jpeg []byte
			json.Unmarshal(bytes.TrimPrefix(v.lines.Bytes(), []byte("data: ")), &jpeg)
			pictures = append(pictures, jpeg)
		} else if name == "event: end" {
			break
		}
	}
	if len(pictures) == 0 {
		t.Fatal("no last picture")
	}
	if m, err := jpeg.Decode(bytes.NewReader(pictures[len(pictures)-1])); err != nil || m.Bounds().Dx() != 64 {
		t.Errorf("the last picture is another (%v)", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A film that is kept to go on with is painted with the settings of its command.
func TestSteer(t *testing.T) {
	s := listen(t, "", Settings{})
	more := `{"factors": {"content": 2, "style": 1, "tv": 1}}`
	for _, may := range []bool{false, true} {
		s.Live.Change(func(o *filter.Orders) { o.Factors.Content = 7 }) // in an input before
		if s.Steer(may); !may && s.Live.Orders().Factors.Content != 1 {
			t.Error("it is painted with the weights of the input before")
		}
		answer, text := request(t, http.DefaultClient, "POST", s.URL()+"control", more, asJSON)
		if may != (answer.StatusCode == 204) || may != (s.Live.Orders().Factors.Content == 2) || !may && !strings.Contains(text, "--no-resume") {
			t.Errorf("may %t: %d %q", may, answer.StatusCode, text)
		}
	}
}

func TestStop(t *testing.T) {
	var stopped []bool
	s := listen(t, "", Settings{Stop: func(photo bool) { stopped = append(stopped, photo) }})
	for _, photo := range []bool{false, true} {
		s.Open("in", map[bool]int64{true: 1}[photo], 0)
		if answer, text := request(t, http.DefaultClient, "POST", s.URL()+"control", `{"do": "stop"}`, asJSON); answer.StatusCode != 204 {
			t.Error(text)
		}
		if s.Live.Orders().Stop != photo {
			t.Errorf("photo %t: the picture at hand is stopped: %t", photo, !photo)
		}
	}
	if !slices.Equal(stopped, []bool{false, true}) {
		t.Error(stopped)
	}
}

// The curve and the small pictures of a long film stay few, and its viewers get them anew.
func TestThinned(t *testing.T) {
	s := listen(t, "", Settings{})
	s.Open("film", 0, 0)
	v := view(t, s)
	for i := range mostPoints + 1 {
		s.Step(filter.Progress{Iteration: i}, 0, 0, 0, 0)
	}
	f := grey(20, 20, 0)
	for f.Index = range mostSmall + 1 {
		s.Painted(f, true)
	}
	type got struct {
		Anew   bool
		Points []point
		Frames []small
	}
	for name, most := range map[string]int{"curve": mostPoints, "frames": mostSmall} {
		list := get[got](t, view(t, s), name)
		if n := len(list.Points) + len(list.Frames); !list.Anew || n != most/2+1 {
			t.Errorf("%s: %d", name, n)
		}
	}
	v.body.Close()
}

func TestMostViewers(t *testing.T) {
	s := listen(t, "", Settings{})
	for range mostViewers {
		view(t, s)
	}
	if answer, text := request(t, http.DefaultClient, "GET", s.URL()+"events", ""); answer.StatusCode != 503 {
		t.Errorf("%d %q", answer.StatusCode, text)
	}
}
