package api

import (
	"net/http"
	"strconv"

	"coldstorm/results"
)

// FirstInstructionHeader is the header of the runtime's first ask for work in which it
// may tell when the first instruction of its own was: the reading of CLOCK_MONOTONIC in
// nanoseconds, as a decimal number. With it, init is split in what starting the program
// takes and what the program takes. The Lambda Runtime API takes no notice of it.
const FirstInstructionHeader = "Coldstorm-First-Instruction"

// FirstInstruction is what the runtime told in FirstInstructionHeader: 0 if it told
// nothing, or what is no stamp. It is a claim.
func (e *Environment) FirstInstruction() results.Stamp {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.firstInstruction
}

func told(head http.Header) results.Stamp {
	text := head.Get(FirstInstructionHeader)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return results.Stamp(n)
}
