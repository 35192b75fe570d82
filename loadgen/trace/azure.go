package trace

import (
	"bufio"
	"io"
	"strconv"
	"time"
)

// azure2019 reads a day of counts: HashOwner,HashApp,HashFunction,Trigger,1..1440.
// A function is named by its app and itself.
func azure2019(m *maker, r *bufio.Reader) error {
	t, err := newTable(r)
	if err != nil {
		return err
	}
	at, err := t.columns("HashApp", "HashFunction", "Trigger")
	if err != nil {
		return err
	}
	first := index(t.head, "1")
	if first < 0 {
		return t.wrong("there is no column 1, that of the first minute")
	}
	for {
		ok, err := t.next(first + 1)
		if !ok || err != nil {
			m.trace.Span = time.Duration(len(t.head)-first) * time.Minute
			return err
		}
		f := m.function(t.row[at[0]] + "/" + t.row[at[1]])
		if f.counts.every != 0 {
			return t.wrong("function %.20s… a second time", f.Name)
		}
		f.Trigger, f.counts.every = string([]byte(t.row[at[2]])), time.Minute
		for i := first; i < len(t.row); i++ {
			n, err := t.count(i)
			if err != nil {
				return err
			}
			f.counts.add(int64(i-first), n)
		}
	}
}

// readDurations reads the percentiles of durations, in milliseconds, that go with
// Azure's counts. Functions that the trace doesn't have are skipped.
func (t *Trace) readDurations(r io.Reader) error {
	names := []string{"percentile_Average_0", "percentile_Average_25", "percentile_Average_50", "percentile_Average_75", "percentile_Average_99", "percentile_Average_100"}
	return t.aside(r, names, []string{"HashApp", "HashFunction"}, func(f *Function, v []float64) {
		ms := func(v float64) time.Duration { return toDuration(v / 1000) }
		f.Duration = Percentiles{ms(v[0]), ms(v[1]), ms(v[2]), ms(v[3]), ms(v[4]), ms(v[5])}
	})
}

// readMemory reads the memory of functions, or of the apps that they belong to, in
// MB: what was allocated on average.
func (t *Trace) readMemory(r io.Reader) error {
	return t.aside(r, []string{"AverageAllocatedMb"}, []string{"HashApp"}, func(f *Function, v []float64) { f.MemoryMB = int(v[0] + 0.5) })
}

// aside reads numbers of functions from a table. The first key is the app, the
// second, if the table has it, the function; without it all of an app's are meant.
func (t *Trace) aside(r io.Reader, numbers, keys []string, set func(*Function, []float64)) error {
	tab, err := newTable(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return err
	}
	at, err := tab.columns(append(keys, numbers...)...)
	if err != nil {
		return err
	}
	function := index(tab.head, "HashFunction")
	byName, byApp := map[string][]int{}, map[string][]int{}
	for i := range t.Functions {
		name := t.Functions[i].Name
		byName[name] = append(byName[name], i)
		app, _, _ := cut(name)
		byApp[app] = append(byApp[app], i)
	}
	values := make([]float64, len(numbers))
	for {
		ok, err := tab.next(max(at[len(at)-1], function) + 1)
		if !ok || err != nil {
			return err
		}
		for i := range numbers {
			if values[i], _, err = tab.number(at[len(keys)+i]); err != nil {
				return err
			}
			values[i] = min(values[i], maxTime)
		}
		which := byApp[tab.row[at[0]]]
		if function >= 0 {
			which = byName[tab.row[at[0]]+"/"+tab.row[function]]
		}
		for _, i := range which {
			set(&t.Functions[i], values)
		}
	}
}

// cut splits a function's name into its app and itself.
func cut(name string) (app, function string, ok bool) {
	for i := range len(name) {
		if name[i] == '/' {
			return name[:i], name[i+1:], true
		}
	}
	return name, "", false
}

// azure2021 reads app,func,end_timestamp,duration, both in seconds. What started
// before the trace is taken to have started with it.
func azure2021(m *maker, r *bufio.Reader) error {
	t, err := newTable(r)
	if err != nil {
		return err
	}
	at, err := t.columns("app", "func", "end_timestamp", "duration")
	if err != nil {
		return err
	}
	for {
		ok, err := t.next(4)
		if !ok || err != nil {
			return err
		}
		end, some, err := t.seconds(at[2])
		if err != nil {
			return err
		}
		took, timed, err := t.seconds(at[3])
		if err != nil {
			return err
		}
		if !some || !timed {
			return t.wrong("no end_timestamp or no duration")
		}
		m.arrive(t.row[at[0]]+"/"+t.row[at[1]], max(0, end-took), took)
	}
}

// huawei2023 reads day,time and a column of counts for each function. A bucket is as
// long as the time from one row to the next; what is NaN is none.
func huawei2023(m *maker, r *bufio.Reader) error {
	t, err := newTable(r)
	if err != nil {
		return err
	}
	at, err := t.columns("time")
	if err != nil {
		return err
	}
	const named = 2 // columns before the functions
	if len(t.head) <= named || at[0] >= named {
		return t.wrong("there are no functions after the columns day and time")
	}
	var every, first, bucket time.Duration
	var held [][2]int64 // of the first row, whose length the second tells
	for _, name := range t.head[named:] {
		m.function(name)
	}
	if len(m.trace.Functions) != len(t.head)-named {
		return t.wrong("two columns of the same name")
	}
	for rows := 0; ; rows++ {
		ok, err := t.next(len(t.head))
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		now, some, err := t.seconds(at[0])
		if err != nil {
			return err
		}
		switch {
		case !some:
			return t.wrong("no time")
		case rows == 0:
			first = now
		case now <= bucket:
			return t.wrong("time %s is not after the one before", t.row[at[0]])
		case rows == 1:
			every = now - first
			m.every(every, held)
		}
		bucket = now
		for i := named; i < len(t.head); i++ {
			n, err := t.count(i)
			if err != nil {
				return err
			}
			switch {
			case rows == 0 && n > 0:
				held = append(held, [2]int64{int64(i - named), n})
			case rows > 0:
				m.trace.Functions[i-named].counts.add(int64((now-first)/every), n)
			}
		}
	}
	if every == 0 {
		m.every(time.Minute, held)
	}
	m.trace.Span = bucket - first + max(every, time.Second)
	return nil
}

// every sets the length of all buckets, and counts what the first holds.
func (m *maker) every(d time.Duration, first [][2]int64) {
	for i := range m.trace.Functions {
		m.trace.Functions[i].counts.every = d
	}
	for _, x := range first {
		m.trace.Functions[x[0]].counts.add(0, x[1])
	}
}

// huawei2025 reads tables of requests or of cold starts. A function is named as
// Huawei's own series name it, by function, user and pool, and its memory is that of
// the pool: pool22-300-128 has 128 MB.
func huawei2025(m *maker, r *bufio.Reader) error {
	t, err := newTable(r)
	if err != nil {
		return err
	}
	at, err := t.columns("funcName", "userID", "podID")
	if err != nil {
		return err
	}
	when := -1
	for _, name := range []string{"time_frontend", "time_worker", "time"} {
		if when = index(t.head, name); when >= 0 {
			break
		}
	}
	if when < 0 {
		return t.wrong("there is no column time_frontend, time_worker or time")
	}
	took := index(t.head, "totalCost_worker")
	for {
		ok, err := t.next(max(at[0], at[1], at[2], when, took) + 1)
		if !ok || err != nil {
			return err
		}
		now, some, err := t.seconds(when)
		if err != nil {
			return err
		}
		if !some {
			continue // a request that this log missed
		}
		var d time.Duration
		if took >= 0 {
			if d, _, err = t.seconds(took); err != nil {
				return err
			}
		}
		pool, memory := poolOf(t.row[at[2]])
		name := t.row[at[0]] + "---" + t.row[at[1]] + "---" + pool
		m.arrive(name, now, d)
		m.function(name).MemoryMB = memory
	}
}

// poolOf splits a pod's name, pool22-300-128-0000618412, into its pool and the
// pool's memory in MB; 0 where it has none.
func poolOf(pod string) (pool string, memory int) {
	dashes := 0
	for i := range len(pod) {
		if pod[i] != '-' {
			continue
		}
		if dashes++; dashes == 3 {
			pool = pod[:i]
			for j := i - 1; j >= 0; j-- {
				if pod[j] == '-' {
					memory, _ = strconv.Atoi(pod[j+1 : i])
					return pool, max(0, min(memory, 1<<20))
				}
			}
		}
	}
	return pod, 0
}
