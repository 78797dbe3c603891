// Package arch holds the repository to its own rules: which package may import
// which, what the library may depend on, and what no file may mention. It has
// tests only.
package arch
