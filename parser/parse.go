package parser

import (
	"errors"
	"reflect"
)

var errUnparsed = errors.New("parser: the definition could not be read")

// Parse returns the definition of one struct, or of the struct a pointer
// points to. Relations are read but not checked against their targets; see
// [ParseAll] and [Resolve].
func Parse(t reflect.Type) (Entity, error) { return Entity{}, errUnparsed }

// ParseAll returns the definitions of several structs, in the order given,
// with their relations resolved across them.
func ParseAll(types ...reflect.Type) ([]Entity, error) { return nil, errUnparsed }

// Fields returns the stored fields of a nested struct by the rules that Parse
// follows.
func Fields(t reflect.Type) ([]Field, error) { return nil, errUnparsed }

// Resolve checks the relations of definitions against each other and fills in
// what their tags left to default.
func Resolve(entities []Entity) error { return errUnparsed }

// FromJSON reads definitions back from the JSON they marshal to.
func FromJSON(data []byte) ([]Entity, error) { return nil, errUnparsed }

// Reserved reports the fields whose attribute names are taken by the schema:
// key attributes, the entity type and the like.
func Reserved(e Entity, names ...string) error { return errUnparsed }
