package arch

import "strings"

// layer is a package's place in the repository. Imports go from one layer to
// those that mayImport lists for it.
type layer string

const (
	program     layer = "program"        // cmd/dynorm
	command     layer = "command line"   // internal/cli and the public cli
	public      layer = "public package" // the root's siblings, such as migrate or local
	root        layer = "root package"
	parser      layer = "parser"
	leaf        layer = "internal leaf"
	testSupport layer = "test support" // imported by tests only
	outside     layer = "outside"      // examples and benchmarks: what a user writes
)

// mayImport is the direction of imports, the outermost layer first. Parser and
// leaves may both build on one another's data; that neither goes in a circle is
// the compiler's to see.
var mayImport = map[layer][]layer{
	program:     {command},
	outside:     {public, root, parser, leaf},
	testSupport: {public, parser, leaf, testSupport},
	command:     {command, public, root, parser, leaf},
	public:      {root, parser, leaf},
	root:        {parser, leaf},
	parser:      {leaf},
	leaf:        {parser, leaf},
}

// exceptions are imports that mayImport refuses and the design allows, by
// importer and imported folder.
var exceptions = map[[2]string]string{
	{"seed", "factory"}:          "seeders fill tables with what factories make",
	{"internal/patterntest", ""}: "it runs what schemas print",

	{"bench/cold/dynorm", "bench/cold/answer"}: "it is the DynamoDB of the programs of cold starts",
	{"bench/cold/raw", "bench/cold/answer"}:    "it is the DynamoDB of the programs of cold starts",
	{"bench/cold/sdk", "bench/cold/answer"}:    "it is the DynamoDB of the programs of cold starts",
}

// refusals are imports that mayImport allows and the design does not.
var refusals = map[[2]string]string{
	{"local", ""}: "the root package's own tests run on local",
}

// layerOf returns the layer of the package in a folder, which is relative to
// the repository.
func layerOf(folder string) layer {
	first, rest, _ := strings.Cut(folder, "/")
	switch {
	case folder == "":
		return root
	case folder == "parser":
		return parser
	case first == "cmd":
		return program
	case first == "cli":
		return command
	case first == "examples", first == "bench":
		return outside
	case first != "internal":
		return public
	}
	switch first, _, _ = strings.Cut(rest, "/"); first {
	case "cli":
		return command
	case "arch", "conformance", "golden", "patterntest", "testdb":
		return testSupport
	}
	return leaf
}
