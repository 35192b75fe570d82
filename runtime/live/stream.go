package live

// A Stream takes a response as it comes.
type Stream interface {
	// Begin is called once, before the first Write, with the response's type.
	Begin(contentType string)
	// Write takes a piece of the response. Its error is the last one.
	Write(p []byte) (int, error)
}
