package codec

import "encoding/json"

// StringSet is what a string set decodes to where the Go type does not say
// more. It encodes to a string set.
type StringSet []string

// NumberSet is to number sets what [StringSet] is to string sets.
type NumberSet []json.Number

// BinarySet is to binary sets what [StringSet] is to string sets.
type BinarySet [][]byte
