package main

import (
	"fmt"
	"io"
	"os"
)

// readSmall reads at most a megabyte of a file.
func readSmall(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 1<<20))
	return string(text), err
}

func scanTwo(text string, one, other *int) { fmt.Sscan(text, one, other) }
