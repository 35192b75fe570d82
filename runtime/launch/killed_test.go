package launch

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/image"
)

// killedEnv marks all processes of a client that is to be killed: itself, its daemon
// and, in their environment, the programs that they start.
const killedEnv = "COLDSTORM_TEST_KILLED"

// TestKilledWithItsClient kills a launcher's process, its client, or both, at a moment
// that chance chooses, while programs run that do what they can to live on. Nothing of
// them is left then, and another launcher beside them is unharmed.
func TestKilledWithItsClient(t *testing.T) {
	if mark := os.Getenv(killedEnv); mark != "" {
		killedClient(t, mark)
		return
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	img := insideImage(t)
	beside := start(t, Config{Pool: 1})
	survivor := run(t, beside, Spec{}, "count")
	for _, c := range []Config{{Pool: 2}, {Rootless: true, Pool: 2}, {Runtime: RuntimeProcess}, {Runtime: "oci:crun"}, {Runtime: "oci:crun", Rootless: true}} {
		if c.Rootless && os.Geteuid() != 0 {
			continue // it is so already
		}
		t.Run(fmt.Sprint(c.Runtime, " rootless ", c.Rootless), func(t *testing.T) {
			needRuntime(t, c)
			cases := []string{"daemon", "client", "both", "both"}
			if c.Runtime != "" {
				cases = []string{"daemon", "both"}
			}
			for _, whom := range cases {
				k := startKilled(t, c, img)
				k.read(t, 1+chance.IntN(12))
				time.Sleep(time.Duration(chance.IntN(3000)) * time.Microsecond) // a moment between two lines, rather than always at one
				if whom != "client" {
					unix.Kill(k.daemon, unix.SIGKILL)
				}
				if whom != "daemon" {
					k.cmd.Process.Kill()
				}
				k.gone(t, whom)
			}
		})
	}
	line(t, survivor.Stdout)
	line(t, survivor.Stdout)
	if x := run(t, beside, Spec{}, "exit", "0").Exit(); x.Code != 0 {
		t.Errorf("the launcher beside: %v", x)
	}
}

// killedClient starts programs until it is killed, and writes a line for each.
func killedClient(t *testing.T, mark string) {
	f := strings.Split(os.Getenv(killedEnv+"_CONFIG"), " ")
	l, err := Start(Config{Pool: 2, Rootless: f[0] == "true", Runtime: f[1]})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(l.pid)
	img := image.Image{Layers: []string{f[2]}}
	for i := 0; ; i++ {
		what := []string{"undying", "children", "orphan"}[i%3]
		b, err := l.Launch(context.Background(), Spec{Image: img, Argv: []string{"/var/task/bootstrap", what}, Env: []string{killedEnv + "=" + mark}})
		if err != nil {
			fmt.Println("launch:", err)
			select {} // the daemon was killed: no more can come
		}
		b.Stdout.Read(make([]byte, 16)) // what it says; nothing, if the daemon was killed
		if i%2 == 1 {
			b.Freeze()
		}
		fmt.Println(what)
	}
}

// killed is a client that is to be killed, with what it had started.
type killed struct {
	mark   string
	cmd    *exec.Cmd
	out    *bufio.Reader
	daemon int
}

func startKilled(t *testing.T, c Config, img image.Image) *killed {
	t.Helper()
	runtime := c.Runtime
	if runtime == "" {
		runtime = RuntimeBuiltin
	}
	k := &killed{mark: fmt.Sprint(os.Getpid(), "-", time.Now().UnixNano())}
	k.cmd = exec.Command("/proc/self/exe", "-test.run=^TestKilledWithItsClient$")
	k.cmd.Env = append(os.Environ(), killedEnv+"="+k.mark, fmt.Sprintf("%s_CONFIG=%v %s %s", killedEnv, c.Rootless, runtime, img.Layers[0]))
	k.cmd.Stderr = io.Discard // of what was killed, complaints are no news
	out, err := k.cmd.StdoutPipe()
	if err == nil {
		err = k.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	k.out = bufio.NewReader(out)
	if _, err := fmt.Fscanln(k.out, &k.daemon); err != nil {
		t.Fatal(err)
	}
	return k
}

// read reads lines.
func (k *killed) read(t *testing.T, n int) {
	t.Helper()
	for range n {
		if text, err := k.out.ReadString('\n'); err != nil || strings.HasPrefix(text, "launch:") {
			t.Fatalf("%s (%v)", text, err)
		}
	}
}

// gone cleans, as the next run does, and says what is there still. What a client or
// a daemon that lives on had to end, it may take its time for; what was killed may take
// a moment to let go of its locks.
func (k *killed) gone(t *testing.T, whom string) {
	t.Helper()
	if whom == "daemon" {
		for { // its client says so, having ended what it had
			text, err := k.out.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(text, "launch:") {
				break
			}
		}
		defer k.cmd.Wait()
		defer k.cmd.Process.Kill()
	} else {
		k.cmd.Wait()
	}
	left := k.left(t, whom)
	for limit := time.Now().Add(30 * time.Second); len(left) > 0 && time.Now().Before(limit); left = k.left(t, whom) {
		if _, err := Clean(); err != nil {
			t.Log(err)
		}
		awaitAny(left)
	}
	if len(left) > 0 {
		t.Errorf("%s killed: left %v", whom, left)
	}
}

// left lists the processes and cgroups that are there still.
func (k *killed) left(t *testing.T, whom string) []string {
	list := ourCgroups(t, k.daemon)
	for _, pid := range marked(killedEnv + "=" + k.mark) {
		if pid != k.cmd.Process.Pid || whom != "daemon" {
			list = append(list, "process "+strconv.Itoa(pid))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// marked lists the processes that have a variable in their environment.
func marked(variable string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		text, _ := os.ReadFile(file) // of one that has gone, nothing
		if slices.ContainsFunc(bytes.Split(text, []byte{0}), func(v []byte) bool { return string(v) == variable }) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// awaitAny waits, for a moment, for the end of any process in a list of what is left.
func awaitAny(left []string) {
	var fds []unix.PollFd
	for _, l := range left {
		pid, err := strconv.Atoi(strings.TrimPrefix(l, "process "))
		if err != nil {
			continue
		}
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			defer unix.Close(fd)
			fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
	}
	unix.Poll(fds, 100)
}

// TestOwnerDead says whose programs are ended: those of a launcher that is no more, as
// its start tells, not those of one that lives or of which nothing can be known.
func TestOwnerDead(t *testing.T) {
	pid, at, ns := os.Getpid(), started(os.Getpid()), pidNamespace()
	for _, c := range []struct {
		rule, mark string
		want       bool
	}{
		{"it lives", strings.TrimPrefix(mark(), markVariable+"="), false},
		{"another has its pid", fmt.Sprintf("%d-%s0-%s", pid, at, ns), true},
		{"nobody has its pid", fmt.Sprintf("%d-%s-%s", 1<<30, at, ns), true},
		{"it may live elsewhere", fmt.Sprintf("%d-%s0-x%s", pid, at, ns), false},
		{"no mark", "", false},
		{"no pid", fmt.Sprintf("x-%s-%s", at, ns), false},
	} {
		if got := ownerDead(c.mark); got != c.want {
			t.Errorf("%s (%s): %v", c.rule, c.mark, got)
		}
	}
}
