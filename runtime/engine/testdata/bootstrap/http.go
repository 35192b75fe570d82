package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

// listen serves HTTP in the place of the Runtime API: it answers with what it was sent.
func listen() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method)
		switch r.URL.Path {
		case "/crash":
			os.Exit(1)
		case "/teapot":
			w.WriteHeader(http.StatusTeapot)
		}
		io.Copy(w, r.Body)
	})
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
	os.Exit(1)
}
