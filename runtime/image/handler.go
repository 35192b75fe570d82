package image

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// A Package is a function with what AWS's control plane is told beside its code.
type Package struct {
	Path    string // as Open takes it
	Runtime string // as AWS names it; empty: as what is in the package says
	Handler string // module.function; empty: the usual one, if it is there
}

// ErrNoHandler says that a package holds nothing that can be started.
var ErrNoHandler = errors.New("neither an executable bootstrap nor a handler")

// managed says which language's runtime a package needs, and its handler; nil if
// its own bootstrap is to be executed.
//
// A bootstrap is executed whatever the runtime, unless a handler is named for a
// runtime of ours: AWS has functions of that runtime whose packages hold a file of
// this name.
func (p Package) managed(s *src, list []entry) (*language, string, error) {
	_, err := findBootstrap(list)
	own, l := err == nil, languageOf(p.Runtime)
	switch {
	case own && (l == nil || p.Handler == ""), strings.HasPrefix(p.Runtime, "provided"):
		return nil, "", nil
	case l != nil:
		handler := p.Handler
		if handler == "" {
			handler = l.handler
		}
		if err := l.named(handler); err != nil {
			return nil, "", err
		}
		return l, handler, nil
	case p.Runtime != "":
		return nil, "", &Hint{
			fmt.Errorf("no runtime of %s: %w", p.Runtime, ErrNoHandler),
			"coldstorm runs handlers in Python and Node.js; of another language give a container image with AWS's client for it, or an executable bootstrap",
		}
	}
	return p.detect(s, list)
}

// detect tells the language by the files at the top of a package.
func (p Package) detect(s *src, list []entry) (*language, string, error) {
	var found []*language
	var handlers []string
	for i := range languages {
		l := &languages[i]
		handler := p.Handler
		if handler == "" {
			handler = l.handler
		}
		e, ok := l.file(handler, list)
		if !ok || p.Handler == "" && !l.exported(s, e) {
			continue
		}
		found, handlers = append(found, l), append(handlers, handler)
	}
	switch {
	case len(found) == 1:
		return found[0], handlers[0], nil
	case len(found) > 1:
		return nil, "", &Hint{fmt.Errorf("handlers in several languages (%s): %w", strings.Join(handlers, ", "), ErrNoHandler), "say which: --runtime " + found[0].example()}
	}
	return nil, "", p.nothing(list)
}

// nothing says what is there instead of what can be started.
func (p Package) nothing(list []entry) error {
	var names []string
	hint := bootstrapHint
	for _, e := range list {
		if strings.Contains(e.name, "/") {
			continue
		}
		names = append(names, e.name)
		for _, l := range languages {
			if slices.Contains(l.exts, path.Ext(e.name)) && e.mode.IsRegular() && hint == bootstrapHint {
				module := strings.TrimSuffix(e.name, path.Ext(e.name))
				_, function, _ := strings.Cut(l.handler, ".")
				if e.name == l.usual(path.Ext(e.name)) { // it is there, without the usual function
					function = "NAME, a function of " + e.name
				}
				hint = fmt.Sprintf("name the handler: --handler %s.%s", module, function)
			}
		}
	}
	slices.Sort(names)
	const most = 6
	if len(names) > most {
		names = append(names[:most], "...")
	}
	err := fmt.Errorf("%w: %w", ErrNoHandler, ErrNoBootstrap)
	if p.Handler != "" {
		err = fmt.Errorf("no module of handler %s: %w", p.Handler, ErrNoHandler)
	}
	if len(names) > 0 {
		err = fmt.Errorf("%w, but %s", err, strings.Join(names, ", "))
	}
	return &Hint{err, hint}
}

// usual is the name of the usual handler's file with an extension.
func (l *language) usual(ext string) string {
	module, _, _ := strings.Cut(l.handler, ".")
	return module + ext
}

// example is a runtime of the language as AWS names it.
func (l *language) example() string {
	if l.name == "python" {
		return "python3.13"
	}
	return "nodejs22.x"
}

// named refuses what is no name of a handler. Whether its module is there is left to
// the language, which finds more than files of a package, and to Lambda's own
// error for one that isn't.
func (l *language) named(handler string) error {
	module, function, ok := strings.Cut(path.Base(handler), ".")
	if !ok || module == "" || function == "" {
		return &Hint{fmt.Errorf("handler %q: %w", handler, ErrNoHandler), "a handler is named module.function, such as " + l.handler}
	}
	return nil
}

// file finds the file of a handler's module.
func (l *language) file(handler string, list []entry) (entry, bool) {
	module := handler
	if i := strings.LastIndexByte(handler, '.'); i >= 0 {
		module = handler[:i]
	}
	if l.name == "python" { // whose modules may be named as files or as packages
		module = strings.ReplaceAll(module, ".", "/")
	} else { // whose function may be a path of properties
		base, _, _ := strings.Cut(path.Base(handler), ".")
		module = path.Join(path.Dir(handler), base)
	}
	for _, e := range list {
		if ext := path.Ext(e.name); slices.Contains(l.exts, ext) && e.mode.IsRegular() && strings.TrimSuffix(e.name, ext) == path.Clean(module) {
			return e, true
		}
	}
	return entry{}, false
}

// exported says whether a file mentions its usual handler. Whether it has one the
// interpreter knows alone.
func (l *language) exported(s *src, e entry) bool {
	r, err := s.open(e)
	if err != nil {
		return false
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, 16<<20)) // a bundle of everything has megabytes
	return err == nil && l.exports.Match(text)
}
