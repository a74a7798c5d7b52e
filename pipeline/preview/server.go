package preview

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"nstfilter/filter"
)

// Server is the page of one job. The methods of a nil Server do nothing.
type Server struct {
	Settings
	Live *filter.Live // of the Filter that paints

	terminal *Terminal // shows the pictures; nil: a page does
	listener net.Listener
	http     http.Server
	host     string // that the address names
	board    board
	looks    chan picture // the latest one that nobody has encoded yet
	someone  chan struct{}
	closing  chan struct{}
	left     chan struct{}  // a viewer has gone
	work     sync.WaitGroup // of the goroutines that Listen starts
}

// Settings are what a page knows of its job. No field is changed after Listen.
type Settings struct {
	Token   string         // that a viewer must know; empty: none
	Options filter.Options // that the job began with

	// SavePreset saves Options with their weights multiplied, and returns where.
	SavePreset func(name string, by filter.Factors, replace bool) (file string, err error)
	// Stop ends the job behind the frame at hand, and keeps what is done. If that is a photo,
	// Live.Orders tells the painter to stop besides.
	Stop func(photo bool)
}

//go:embed page
var pages embed.FS

// leastToken is the fewest letters of a token.
const leastToken = 12

// Listen opens an address: HOST:PORT, or a PORT of this machine, or "" for a free one. An address
// that other machines can reach takes a token. Call Close.
func Listen(address string, o Settings) (*Server, error) {
	if _, err := strconv.Atoi(address); err == nil {
		address = "127.0.0.1:" + address
	}
	address = cmp.Or(address, "127.0.0.1:0")
	host, _, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("--preview=%s is no address: write PORT, or HOST:PORT as in 127.0.0.1:8080", address)
	case o.Token != "" && len(o.Token) < leastToken:
		return nil, fmt.Errorf("--preview-token has %d letters, which can be guessed: give it %d or more", len(o.Token), leastToken)
	case o.Token == "" && !loopback(host):
		return nil, fmt.Errorf("--preview=%s can be reached from other machines: add --preview-token, or leave the host out", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--preview=%s: %w: another port may be free", address, err)
	}
	s := newServer(o)
	s.listener, s.host = listener, host
	s.http = http.Server{Handler: s.guard(s.routes()), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 14}
	s.work.Go(func() { s.http.Serve(listener) }) // until it is closed
	s.work.Go(s.watch)
	return s, nil
}

// OnTerminal shows pictures in a terminal, without a page. Call Close.
func OnTerminal(t *Terminal, o Settings) *Server {
	s := newServer(o)
	s.terminal = t
	s.board.viewers[nil] = true
	wake(s.someone)
	s.work.Go(s.watch)
	return s
}

func newServer(o Settings) *Server {
	s := &Server{Settings: o, looks: make(chan picture, 1), someone: make(chan struct{}, 1), closing: make(chan struct{}), left: make(chan struct{}, 1)}
	s.Live = filter.NewLive(func(l filter.Look) { s.show(picture{Frame: l.Frame, took: l.Took}) })
	s.board.viewers = map[chan struct{}]bool{}
	return s
}

// loopback reports whether a host is this machine alone.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// URL is what to open in a browser.
func (s *Server) URL() string {
	u := url.URL{Scheme: "http", Host: s.listener.Addr().String(), Path: "/"}
	if a, err := netip.ParseAddrPort(u.Host); err == nil && a.Addr().IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(int(a.Port())))
	}
	if s.Token != "" {
		u.RawQuery = url.Values{"token": {s.Token}}.Encode()
	}
	return u.String()
}

// closeTime is how long Close waits for viewers to take the last picture.
const closeTime = 2 * time.Second

// Close shows the last picture, says on the page how the job ended, and closes the address.
func (s *Server) Close(ended string) error {
	if s == nil {
		return nil
	}
	close(s.closing)
	select {
	case p := <-s.looks:
		s.present(p)
	default:
	}
	if s.terminal != nil {
		s.work.Wait()
		return nil
	}
	s.board.change(func(b *board) { b.ended = cmp.Or(ended, "Done.") })
	late := time.NewTimer(closeTime)
	defer late.Stop()
	for waits := true; waits && s.board.watched(); {
		select {
		case <-s.left:
		case <-late.C:
			waits = false
		}
	}
	err := s.http.Close()
	s.work.Wait()
	return err
}

func (s *Server) routes() http.Handler {
	files, err := fs.Sub(pages, "page")
	if err != nil {
		panic(err) // a constant name
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /control", s.control)
	mux.HandleFunc("POST /preset", s.preset)
	return mux
}

// guard lets through what comes from the page itself: the name of the host keeps out pages that
// have another name lead here (DNS rebinding), the origin what other pages post.
func (s *Server) guard(next http.Handler) http.Handler {
	checked := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !s.ours(r.Host):
			http.Error(w, "this page is not served under that name: open the address that nstfilter has printed", http.StatusMisdirectedRequest)
		case s.Token != "" && !s.knows(w, r):
			http.Error(w, "open the address that nstfilter has printed, with its token", http.StatusForbidden)
		case r.Method == http.MethodGet && r.URL.Query().Has("token"):
			http.Redirect(w, r, "/", http.StatusSeeOther) // the address bar need not show it
		default:
			checked.ServeHTTP(w, r)
		}
	})
}

// ours reports whether a request's Host can be ours: an address by number, localhost, or the name
// that --preview gives.
func (s *Server) ours(hostPort string) bool {
	u := url.URL{Host: hostPort}
	host := u.Hostname()
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost" || host == s.host && host != ""
}

// knows reports whether a request has the token: in the address, from where it goes into a
// cookie, or in that.
func (s *Server) knows(w http.ResponseWriter, r *http.Request) bool {
	same := func(token string) bool {
		a, b := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.Token))
		return subtle.ConstantTimeCompare(a[:], b[:]) == 1
	}
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	name := "nstfilter-" + port // cookies do not tell ports apart
	if token := r.URL.Query().Get("token"); token != "" && same(token) {
		http.SetCookie(w, &http.Cookie{Name: name, Value: url.QueryEscape(token), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		return true
	}
	c, err := r.Cookie(name)
	if err != nil {
		return false
	}
	token, err := url.QueryUnescape(c.Value)
	return err == nil && same(token)
}

// order is what the page posts.
type order struct {
	Factors *filter.Factors `json:"factors"`
	Do      string          `json:"do"` // pause, resume, next, stop

	Name    string `json:"name"` // of a preset
	Replace bool   `json:"replace"`
}

func readOrder(w http.ResponseWriter, r *http.Request) (o order, ok bool) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		http.Error(w, "this takes application/json", http.StatusUnsupportedMediaType)
		return o, false
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<12))
	if err := d.Decode(&o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return o, false
	}
	return o, true
}

// mostFactor bounds what a slider multiplies a weight by.
const mostFactor = 100

func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	o, ok := readOrder(w, r)
	if !ok {
		return
	}
	if f := o.Factors; f != nil {
		for _, v := range []float64{f.Content, f.Style, f.TV} {
			if !(v >= 0 && v <= mostFactor) {
				http.Error(w, "a factor is from 0 to 100", http.StatusBadRequest)
				return
			}
		}
		if why := s.steer(func(to *filter.Orders) { to.Factors = *f }); why != "" {
			http.Error(w, why, http.StatusConflict)
			return
		}
	}
	switch o.Do {
	case "":
	case "pause":
		s.Live.Change(func(to *filter.Orders) { to.Paused = true })
	case "resume":
		s.Live.Change(func(to *filter.Orders) { to.Paused = false })
	case "next":
		if why := s.steer(func(to *filter.Orders) { to.Next++ }); why != "" {
			http.Error(w, why, http.StatusConflict)
			return
		}
	case "stop":
		photo := s.board.isPhoto()
		s.Live.Change(func(to *filter.Orders) { to.Paused, to.Hold, to.Stop = false, false, photo })
		s.board.change(func(b *board) { b.now.Stopping = true })
		s.Stop(photo)
	default:
		http.Error(w, "no such order", http.StatusBadRequest)
		return
	}
	s.board.change(func(*board) {})
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) preset(w http.ResponseWriter, r *http.Request) {
	o, ok := readOrder(w, r)
	if !ok {
		return
	}
	if s.SavePreset == nil {
		http.Error(w, "this program keeps no presets", http.StatusNotImplemented)
		return
	}
	file, err := s.SavePreset(o.Name, s.Live.Orders().Factors, o.Replace)
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"name": o.Name, "file": file})
}

// mostViewers is how many pages may be open.
const mostViewers = 16

// writeTime is how long a viewer may take for one message: one that is gone does not look.
const writeTime = 10 * time.Second

// events sends what is new, at most ten times a second, until the job or the viewer is gone.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	news, ok := s.board.enter()
	if !ok {
		http.Error(w, fmt.Sprintf("%d pages look already: close one", mostViewers), http.StatusServiceUnavailable)
		return
	}
	defer func() {
		s.board.leave(news)
		wake(s.left)
	}()
	wake(s.someone)
	w.Header().Set("Content-Type", "text/event-stream")
	control, seen := http.NewResponseController(w), cursor{}
	for {
		control.SetWriteDeadline(time.Now().Add(writeTime))
		ended, err := s.board.tell(w, &seen, s)
		if err != nil || control.Flush() != nil || ended {
			return
		}
		pause := time.NewTimer(shortestWait)
		select {
		case <-pause.C:
		case <-r.Context().Done():
			return
		case <-s.closing:
			pause.Stop()
		}
		select {
		case <-news:
		case <-r.Context().Done():
			return
		}
	}
}
