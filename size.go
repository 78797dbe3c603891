package dynorm

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxItemSize is DynamoDB's limit of an item, names included: "Constraints in
// Amazon DynamoDB".
const maxItemSize = 400 * 1024

func checkItemSize(size int) error {
	if size > maxItemSize {
		return faultf(ErrTooLarge, "the item takes %d bytes, over the limit of %d", size, maxItemSize)
	}
	return nil
}

// itemSize is the size DynamoDB accounts for an item, by "DynamoDB item sizes
// and formats".
func itemSize(item Item) int {
	size := 0
	for name, av := range item {
		size += len(name) + valueSize(av)
	}
	return size
}

func valueSize(av types.AttributeValue) int {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		return len(av.Value)
	case *types.AttributeValueMemberN:
		return numberSize(av.Value)
	case *types.AttributeValueMemberB:
		return len(av.Value)
	case *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
		return 1
	case *types.AttributeValueMemberSS:
		return sizes(av.Value, func(s string) int { return len(s) })
	case *types.AttributeValueMemberNS:
		return sizes(av.Value, numberSize)
	case *types.AttributeValueMemberBS:
		return sizes(av.Value, func(b []byte) int { return len(b) })
	case *types.AttributeValueMemberL:
		return 3 + len(av.Value) + sizes(av.Value, valueSize)
	case *types.AttributeValueMemberM:
		return 3 + len(av.Value) + itemSize(av.Value)
	}
	return 0
}

func sizes[T any](elems []T, size func(T) int) int {
	sum := 0
	for _, e := range elems {
		sum += size(e)
	}
	return sum
}

// numberSize is one byte for two significant digits, and one more; one again
// for a negative number.
func numberSize(n string) int {
	digits, negative := strings.CutPrefix(n, "-")
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		digits = digits[:i]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	whole = strings.TrimLeft(whole, "0")
	if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
		whole = strings.TrimRight(whole, "0")
	}
	if whole == "" {
		fraction = strings.TrimLeft(fraction, "0")
	}
	size := (len(whole)+len(fraction)+1)/2 + 1
	if negative {
		size++
	}
	return size
}
