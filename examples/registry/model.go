package main

import "github.com/dynorm/dynorm"

// Source is a source package, from which packages are built.
type Source struct {
	Name string `dynorm:",primary"`
	// Packages is the number of packages built from it.
	Packages int
}

// Package is a binary package.
type Package struct {
	_ dynorm.Index `dynorm:"bySection" pk:"SECTION#{Section}" sk:"{InstalledKiB}#{Name}"`

	Name         string `dynorm:",primary"`
	Version      string
	SourceName   string
	Section      string
	Priority     string
	Arch         string
	InstalledKiB int64 `dynorm:"installedKiB"`
	SizeBytes    int64

	Source *Source `rel:"belongsTo,foreign=SourceName"`
}

// Dependency is an edge of the dependency graph. It lives in the partition of
// the package that depends; the index turns the edge round.
type Dependency struct {
	_ dynorm.Key   `pk:"PACKAGE#{From}" sk:"DEPENDS#{To}"`
	_ dynorm.Index `dynorm:"dependents" pk:"PACKAGE#{To}" sk:"DEPENDENT#{From}"`

	From, To string
}

// Columns, for queries that the compiler checks.
var (
	PackageName      = dynorm.Col(func(p *Package) *string { return &p.Name })
	PackageSource    = dynorm.Col(func(p *Package) *string { return &p.SourceName })
	PackageSection   = dynorm.Col(func(p *Package) *string { return &p.Section })
	PackageInstalled = dynorm.Col(func(p *Package) *int64 { return &p.InstalledKiB })
	DependencyFrom   = dynorm.Col(func(d *Dependency) *string { return &d.From })
	DependencyTo     = dynorm.Col(func(d *Dependency) *string { return &d.To })
)
