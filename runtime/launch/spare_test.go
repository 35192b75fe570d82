package launch

import (
	"context"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// oneReady is a launcher with a pool of one.
func oneReady(t *testing.T) *Launcher { return start(t, Config{Pool: 1}) }

// networkOf launches a sandbox from the pool, tells its network namespace, does with it
// what it is told, and ends it.
func networkOf(t *testing.T, l *Launcher, s Spec, meanwhile func(*Sandbox)) string {
	t.Helper()
	if err := l.Fill(s); err != nil {
		t.Fatal(err)
	}
	b := run(t, l, s, "serve")
	if b.Mode != ModePooled {
		t.Fatalf("mode %s", b.Mode)
	}
	ns, err := os.Readlink("/proc/" + strconv.Itoa(b.PID) + "/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	meanwhile(b)
	b.Stop()
	b.Exit()
	b.Close()
	return ns
}

// networksOf runs sandboxes one after another, as often as two can be told apart: the one
// that is ready when the first ends was made before.
func networksOf(t *testing.T, l *Launcher, specs []Spec, meanwhile func(*Sandbox)) (list []string) {
	t.Helper()
	for _, s := range specs {
		list = append(list, networkOf(t, l, s, meanwhile))
	}
	return list
}

func nothing(*Sandbox) {}

func TestNetworkOfPooledIsUsedAgain(t *testing.T) {
	usedAgain(t, nothing)
}

// usedAgain runs sandboxes until one has a network that another had. (One that is asked for
// before its client has closed its socket is made anew.)
func usedAgain(t *testing.T, meanwhile func(*Sandbox)) {
	t.Helper()
	l, s := oneReady(t), Spec{Image: insideImage(t)}
	seen := map[string]bool{}
	for range 30 {
		ns := networkOf(t, l, s, meanwhile)
		if seen[ns] {
			return
		}
		seen[ns] = true
	}
	t.Error("30 sandboxes had a new network each")
}

// A connection that its side inside closed first would wait there for a minute.
func TestNetworkOfClosedConnectionsIsUsedAgain(t *testing.T) {
	usedAgain(t, func(b *Sandbox) {
		conn, err := b.DialContext(context.Background(), "tcp", line(t, b.Stdout))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(conn); err != nil || string(text) != "served" {
			t.Errorf("%q, %v", text, err)
		}
		conn.Close()
	})
}

func TestNetworkIsNotUsedForAnotherImage(t *testing.T) {
	one, other := Spec{Image: insideImage(t)}, Spec{Image: firstImage(t)}
	other.Argv = nil
	l := oneReady(t)
	first := networksOf(t, l, []Spec{one, one, one}, nothing)
	if err := l.Fill(other); err != nil {
		t.Fatal(err)
	}
	other.ID = "other"
	b, err := l.Launch(context.Background(), other)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	defer b.Stop()
	ns, err := os.Readlink("/proc/" + strconv.Itoa(b.PID) + "/ns/net")
	for _, x := range first {
		if err == nil && x == ns {
			t.Errorf("%s of another image's sandbox", ns)
		}
	}
}

// A socket that a sandbox leaves, here in its client's hands, would be in the next one's
// network.
func TestNetworkWithASocketIsNotUsedAgain(t *testing.T) {
	s := Spec{Image: insideImage(t)}
	l := oneReady(t)
	list := networksOf(t, l, []Spec{s, s, s, s, s}, func(b *Sandbox) {
		c, err := b.DialContext(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(APIPort)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	})
	for i, x := range list {
		for _, y := range list[:i] {
			if x == y {
				t.Errorf("%v: used again, with a socket in it", list)
			}
		}
	}
}

// What closed connections would leave in a network is not there for the next sandbox.
func TestPooledNetworkIsForgetful(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root enters another's network")
	}
	networkOf(t, oneReady(t), Spec{Image: insideImage(t)}, func(b *Sandbox) {
		got := make(chan string)
		go func() {
			runtime.LockOSThread() // and never unlocked: the thread ends, and leaves that network
			ns, err := os.Open("/proc/" + strconv.Itoa(b.PID) + "/ns/net")
			if err == nil {
				err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
				ns.Close()
			}
			if err != nil {
				got <- err.Error()
				return
			}
			var list []string
			for _, f := range forgetful {
				list = append(list, strings.Join(words("/proc/sys/net/ipv4/"+f[0]), " "))
			}
			got <- strings.Join(list, " ")
		}()
		if s := <-got; s != "0 1" {
			t.Errorf("%v: %q", forgetful, s)
		}
	})
}
