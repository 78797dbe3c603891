//go:build !race

package main

// raceSlack is room for the pools that the race detector empties at random.
const raceSlack = 0
