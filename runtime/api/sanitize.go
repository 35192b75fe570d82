package api

import "strings"

// SanitizeErrorType returns t if it has the form of an error type that Lambda
// lets pass, (Runtime|Function).Name, and otherwise Function.Unknown or
// Runtime.Unknown (AWS Runtime Interface Emulator, fatalerror).
func SanitizeErrorType(t string) string {
	category, name, _ := strings.Cut(t, ".")
	known := category == "Runtime" || category == "Function"
	switch {
	case known && typeName(name):
		return t
	case strings.HasPrefix(t, "Function."):
		return "Function.Unknown"
	}
	return "Runtime.Unknown"
}

// typeName matches [A-Z][a-zA-Z]+.
func typeName(s string) bool {
	if len(s) < 2 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}
