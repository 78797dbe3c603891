package keytmpl

import "strings"

// didYouMean returns a suggestion of the candidate nearest to word: at most two
// edits away, and fewer than half of its letters. Without one it lists them.
func didYouMean(word string, candidates []string) string {
	best, bestDistance := "", 3
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), c); d < bestDistance && 2*d < len(c) {
			best, bestDistance = c, d
		}
	}
	if best == "" {
		return "one of " + strings.Join(candidates, ", ")
	}
	return "did you mean " + best + "?"
}

// distance is the number of single-byte edits between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
