package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// killedMark begins the variable that all processes of one run have in their
// environment: its own, and by the scenario those of its function.
const killedMark = "COLDSTORM_TEST_RUN="

// TestKilledRuns kills processes of runs with SIGKILL, at moments that their progress
// and chance choose, while their function does what it can to live on and another run
// goes on beside them. After clean there is nothing of a killed run, and the other is
// unharmed.
func TestKilledRuns(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	fn := filepath.Join(function(t), "bootstrap")
	users := map[string]int{"as this user": os.Geteuid()}
	if os.Geteuid() == 0 {
		users = map[string]int{"as root": 0, "as an ordinary user": 65534}
	}
	for name, uid := range users {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, fn, uid)
			other := b.start(t, "other")
			for i, whom := range []string{"generator", "engine", "launcher", "all"} {
				at := []string{"starting the engine", "storm 1 of 2", "storm 2 of 2"}[chance.IntN(3)]
				delay := time.Duration(chance.IntN(150)) * time.Millisecond
				k := b.start(t, fmt.Sprint("victim", i))
				k.said(t, at)
				time.Sleep(delay) // between two lines, rather than always at one
				k.kill(t, whom)
				if left := b.clean(t, k); len(left) > 0 {
					t.Errorf("%s killed %v after %q: left %s", whom, delay, at, strings.Join(left, ", "))
				}
				if other.ended() {
					other.check(t)
					other = b.start(t, fmt.Sprint("other", i))
				}
			}
			other.check(t)
		})
	}
}

// bench is where one user's runs are made.
type bench struct {
	dir string
	uid int
}

func newBench(t *testing.T, function string, uid int) *bench {
	t.Helper()
	dir, err := os.MkdirTemp("", "killed-runs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Mkdir(filepath.Join(dir, "fn"), 0o755); err != nil {
		t.Fatal(err)
	}
	copyTo(t, function, filepath.Join(dir, "fn/bootstrap"))
	copyTo(t, fmt.Sprintf("/proc/%d/exe", os.Getpid()), filepath.Join(dir, "coldstorm")) // go test's own is nobody else's to execute
	for _, d := range []string{dir, filepath.Join(dir, "fn")} {
		if err := errors.Join(os.Chmod(d, 0o755), os.Chown(d, uid, -1)); err != nil {
			t.Fatal(err)
		}
	}
	return &bench{dir, uid}
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(to, 0o755); err != nil {
		t.Fatal(err)
	}
}

// killedRun is one run of coldstorm.
type killedRun struct {
	mark   string
	dir    string // holds its TMPDIR, its runs and its home
	cmd    *exec.Cmd
	stderr *bufio.Reader
	text   strings.Builder
	done   chan struct{} // it has ended
	pids   []int         // its engine's and its launcher's, as seen so far
}

// start starts a run: short for one that is to go on, long for one that is to be killed.
func (b *bench) start(t *testing.T, name string) *killedRun {
	t.Helper()
	k := &killedRun{mark: fmt.Sprintf("%s-%d-%d", name, os.Getpid(), time.Now().UnixNano()), done: make(chan struct{})}
	k.dir = filepath.Join(b.dir, k.mark)
	scenario := filepath.Join(k.dir, "s.yaml")
	long := "3s"
	if strings.HasPrefix(name, "victim") {
		long = "10min"
	}
	for _, dir := range []string{k.dir, filepath.Join(k.dir, "tmp")} {
		if err := errors.Join(os.Mkdir(dir, 0o755), os.Chown(dir, b.uid, -1)); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf(`name: killed
function: {path: %s/fn, memory: 256MB, timeout: 10s, env: {BEHAVIOUR: lives on, %s: %s}}
storms:
  - {name: cold, shape: sequence, n: 3, keep_alive: 0}
  - {name: steady, shape: constant, rate: 20/s, for: %s, fresh: true}
`, b.dir, strings.TrimSuffix(killedMark, "="), k.mark, long)
	if err := os.WriteFile(scenario, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	k.cmd = b.command(k, "run", scenario, "--no-projection", "--out", filepath.Join(k.dir, "runs"))
	k.cmd.Env = append(k.cmd.Env, killedMark+k.mark)
	out, err := k.cmd.StderrPipe()
	if err == nil {
		err = k.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	k.stderr = bufio.NewReader(out)
	t.Cleanup(func() { k.cmd.Process.Kill() })
	if long == "3s" {
		go k.finish()
	}
	return k
}

// command is one of coldstorm's by the user.
func (b *bench) command(k *killedRun, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(b.dir, "coldstorm"), args...)
	cmd.Dir = k.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + k.dir, "TMPDIR=" + filepath.Join(k.dir, "tmp")}
	if b.uid != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(b.uid), Gid: uint32(b.uid)}}
	}
	return cmd
}

// finish waits for the run's end.
func (k *killedRun) finish() {
	io.Copy(&k.text, k.stderr)
	k.cmd.Wait()
	close(k.done)
}

func (k *killedRun) ended() bool {
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// said waits until the run has said something.
func (k *killedRun) said(t *testing.T, what string) {
	t.Helper()
	for {
		line, err := k.stderr.ReadString('\n')
		k.text.WriteString(line)
		if strings.Contains(line, what) {
			return
		}
		if err != nil {
			t.Fatalf("it never said %q: %v\n%s", what, err, k.text.String())
		}
	}
}

// kill kills processes of the run and waits for its end. If the generator was not among
// them, that is asked for as by Ctrl-C, and again by who won't wait for what is in
// flight, which can take as long as the function may.
func (k *killedRun) kill(t *testing.T, whom string) {
	t.Helper()
	verbs := map[string][]string{"generator": {}, "engine": {"__engine"}, "launcher": {"__launcher"}, "all": {"__launcher", "__engine"}}[whom]
	var pids []int
	for _, verb := range verbs {
		pid := 0
		for limit := time.Now().Add(time.Minute); pid == 0; pid = k.process(verb) {
			if time.Now().After(limit) {
				t.Fatalf("no process %s\n%s", verb, k.text.String())
			}
		}
		pids = append(pids, pid)
	}
	k.look()
	go k.finish()
	if whom == "generator" || whom == "all" {
		pids = append(pids, k.cmd.Process.Pid)
	}
	for _, pid := range pids {
		unix.Kill(pid, unix.SIGKILL)
	}
	for range 100 {
		if whom == "engine" || whom == "launcher" {
			k.cmd.Process.Signal(os.Interrupt)
		}
		select {
		case <-k.done:
			return
		case <-time.After(samePress + 100*time.Millisecond):
		}
	}
	k.cmd.Process.Kill()
	<-k.done
	t.Errorf("%s killed: the run does not end\n%s", whom, k.text.String())
}

// process finds the run's process under one of coldstorm's verbs; 0 if there is none.
func (k *killedRun) process(verb string) int {
	for _, pid := range withVariable(killedMark + k.mark) {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // of one that has gone, nothing
		if bytes.HasSuffix(args, []byte("\x00"+verb+"\x00")) {
			return pid
		}
	}
	return 0
}

// look notes which processes the run has.
func (k *killedRun) look() (all []int) {
	all = withVariable(killedMark + k.mark)
	k.pids = append(k.pids, all...)
	return all
}

// withVariable lists the living processes that have a variable in their environment.
func withVariable(variable string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		text, _ := os.ReadFile(file) // of one that has gone, or is another's, nothing
		if bytes.Contains(append([]byte{0}, text...), []byte("\x00"+variable+"\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// clean cleans after a killed run, and says what is there still. What was killed may
// take a moment to let go of its locks, and what lives on, to end: so it is done again,
// while there is something.
func (b *bench) clean(t *testing.T, k *killedRun) (left []string) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); ; {
		cmd := b.command(k, "clean", "--out", filepath.Join(k.dir, "runs"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("clean: %v\n%s", err, out)
		}
		if left = k.left(); len(left) == 0 || time.Now().After(limit) {
			return left
		}
		k.awaitAny()
	}
}

// awaitAny waits, for a moment, for the end of any process of the run.
func (k *killedRun) awaitAny() {
	var fds []unix.PollFd
	for _, pid := range k.look() {
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			defer unix.Close(fd)
			fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
	}
	unix.Poll(fds, 200)
}

// left lists what there is of a run: processes, cgroups, mounts in any namespace, and
// folders but those of results.
func (k *killedRun) left() (list []string) {
	for _, pid := range k.look() {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		list = append(list, fmt.Sprintf("process %d %q", pid, args))
	}
	filepath.WalkDir("/sys/fs/cgroup", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.ContainsFunc(k.pids, func(pid int) bool { return strings.HasPrefix(d.Name(), fmt.Sprintf("coldstorm-%d-", pid)) }) {
			list = append(list, "cgroup "+path)
		}
		return nil
	})
	infos, _ := filepath.Glob("/proc/[0-9]*/mountinfo")
	for _, file := range infos {
		info, _ := os.ReadFile(file)
		for line := range strings.Lines(string(info)) {
			if strings.Contains(line, k.mark) {
				list = append(list, "mount of "+file+": "+strings.TrimSpace(line))
			}
		}
	}
	temps, _ := filepath.Glob(filepath.Join(k.dir, "tmp/*"))
	runs, _ := filepath.Glob(filepath.Join(k.dir, "runs/*"))
	hidden, _ := filepath.Glob(filepath.Join(k.dir, "runs/*/.*"))
	links, _ := filepath.Glob(filepath.Join(k.dir, "runs/.*"))
	for _, run := range runs {
		if _, err := os.Stat(filepath.Join(run, results.ResultFile)); err != nil {
			list = append(list, run)
		}
	}
	return slices.Concat(list, temps, hidden, links)
}

// check waits for the end of a run that nobody killed, and says how it was harmed.
func (k *killedRun) check(t *testing.T) {
	t.Helper()
	<-k.done
	runs, _ := filepath.Glob(filepath.Join(k.dir, "runs/*-killed"))
	if code := k.cmd.ProcessState.ExitCode(); code != 0 || len(runs) != 1 {
		t.Fatalf("the other run: exit code %d, %d folders\n%s", code, len(runs), k.text.String())
	}
	r, err := results.Read(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Series {
		if c := s.Counts; c.Served != c.Offered || c.Offered == 0 {
			t.Errorf("the other run, %s: %+v", s.Name, c)
		}
	}
	if left := k.left(); len(left) > 0 {
		t.Errorf("the other run left %s", strings.Join(left, ", "))
	}
}
