// Package suggest finds the word that a mistyped one most likely meant.
package suggest

import "strings"

// Nearest returns the candidate at the smallest edit distance from word, within
// a third of its length, the first of equals. Letter case counts for nothing.
func Nearest(word string, candidates []string) (best string, ok bool) {
	limit := len([]rune(word))/3 + 1
	for _, c := range candidates {
		if d := Distance(strings.ToLower(word), strings.ToLower(c)); d <= limit && c != word && c != "" {
			best, ok, limit = c, true, d-1
		}
	}
	return best, ok
}

// Distance counts the insertions, deletions, substitutions and swaps of
// neighbours that lead from a to b.
func Distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	var before []int
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(s); i++ {
		next := make([]int, len(t)+1)
		next[0] = i
		for j := 1; j <= len(t); j++ {
			substitute := row[j-1]
			if s[i-1] != t[j-1] {
				substitute++
			}
			next[j] = min(substitute, row[j]+1, next[j-1]+1)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(t)]
}
