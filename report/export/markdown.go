package export

import (
	"bufio"
	"io"
	"strings"

	"coldstorm/report/chart"
	"coldstorm/results"
)

// Markdown writes the summary of a run in GitHub's Markdown.
func Markdown(w io.Writer, run results.Run) error {
	b := bufio.NewWriter(w) // keeps the first error for Flush
	b.WriteString("# " + plain(title(run)) + "\n\n")
	for _, s := range remarks(run) {
		b.WriteString("> **!** " + plain(s) + "\n\n")
	}
	if s := verdict(run); s != "" {
		b.WriteString(plain(s) + "\n\n")
	}
	for _, x := range blocks(run) {
		b.WriteString("## " + plain(x.title) + ", " + string(x.basis) + "\n\n")
		writeTable(b, x.table)
	}
	for _, s := range reasons(run) {
		b.WriteString("- " + plain(s) + "\n")
	}
	return b.Flush()
}

func writeTable(b *bufio.Writer, t chart.Table) {
	rule := make([]string, len(t.Header))
	for i := range rule {
		rule[i] = "---"
		if i >= t.Text {
			rule[i] = "---:"
		}
	}
	writeRow(b, t.Header)
	b.WriteString("| " + strings.Join(rule, " | ") + " |\n")
	for _, r := range t.Rows {
		writeRow(b, r)
	}
	b.WriteString("\n")
}

func writeRow(b *bufio.Writer, cells []string) {
	b.WriteString("|")
	for _, c := range cells {
		b.WriteString(" " + plain(c) + " |")
	}
	b.WriteString("\n")
}

// markup escapes what Markdown would take for markup.
var markup = strings.NewReplacer("\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "#", "\\#",
	"!", "\\!", "<", "&lt;", ">", "&gt;", "&", "&amp;", "~", "\\~", "@", "&#64;")

// plain makes one line of s that is shown as it stands.
func plain(s string) string {
	return markup.Replace(strings.Join(strings.Fields((&printer{}).clean(s)), " "))
}
