package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// The rules of the terminal: the conversation goes to stderr, so that stdout
// can be piped. On a terminal the view is redrawn in place a few times a
// second; elsewhere it is one plain line every few seconds. Colour is off where
// NO_COLOR is not empty, TERM is dumb or the stream is not a terminal, and
// never carries meaning alone. Drawing reads snapshots: it shares no lock with
// what fires or serves.

// progress shows what a long work is doing. The zero value shows nothing.
type progress struct {
	w     io.Writer
	live  bool // a terminal to redraw on
	width int

	mu    sync.Mutex
	began time.Time
	view  func() []string // the lines of now; nil between works
	drawn int             // lines on the screen
	stop  chan struct{}
	done  chan struct{}
}

const (
	redrawEvery = 125 * time.Millisecond
	lineEvery   = 5 * time.Second
)

// newProgress starts showing on w until Close.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, began: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
	if f, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" && isTerminal(f) {
		p.live = true
		p.width, _, _ = term.GetSize(int(f.Fd()))
	}
	go p.loop()
	return p
}

func (p *progress) loop() {
	defer close(p.done)
	every := lineEvery
	if p.live {
		every = redrawEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		}
	}
}

// Show makes view what is drawn from now on; nil draws nothing.
func (p *progress) Show(view func() []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.view = view
}

// Say prints a line that stays.
func (p *progress) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	fmt.Fprintf(p.w, format+"\n", args...)
}

// Close stops drawing and leaves the cursor on a fresh line.
func (p *progress) Close() {
	select {
	case <-p.stop:
		return
	default:
	}
	close(p.stop)
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

func (p *progress) draw() {
	if p.view == nil {
		return
	}
	lines := p.view()
	if !p.live {
		fmt.Fprintf(p.w, "%s  %s\n", clock(time.Since(p.began)), strings.Join(lines, "; "))
		return
	}
	p.erase()
	for _, l := range lines {
		if p.width > 0 && len(l) > p.width {
			l = l[:p.width]
		}
		fmt.Fprintln(p.w, l)
	}
	p.drawn = len(lines)
}

// erase takes the last view off the screen.
func (p *progress) erase() {
	if p.drawn > 0 {
		fmt.Fprintf(p.w, "\r\x1b[%dA\x1b[J", p.drawn) // \r: the terminal may have echoed ^C
		p.drawn = 0
	}
}
