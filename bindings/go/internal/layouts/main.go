// Command layouts prints what this binding says of layouts, to be compared with the other bindings: for each line
// `WORLD SPEC` of the input `HASH SPEC NAME=RANK,RANK/... ALIAS(NAME)=... AXIS:SIZE ...`, or `refused` and the text.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	ps "github.com/parallelstate/parallelstate/bindings/go"
)

const longestLine = 1 << 20

func describe(layout *ps.Layout) (string, error) {
	var line strings.Builder
	fmt.Fprintf(&line, "%016x %v", layout.Hash(), layout)
	for _, each := range layout.Names() {
		line.WriteString(" " + each.Name)
		if each.AliasOf != "" {
			line.WriteString("(" + each.AliasOf + ")")
		}
		groups, err := layout.Groups(each.Name)
		if err != nil {
			return "", err
		}
		separator := "="
		for _, ranks := range groups {
			for _, rank := range ranks {
				line.WriteString(separator + strconv.Itoa(rank))
				separator = ","
			}
			separator = "/"
		}
	}
	for _, axis := range layout.Axes() {
		fmt.Fprintf(&line, " %s:%d", axis.Name, axis.Size)
	}
	return line.String(), nil
}

func answer(line string) (string, error) {
	world, spec, _ := strings.Cut(line, " ")
	size, err := strconv.Atoi(world)
	if err != nil {
		return "", err
	}
	layout, err := ps.NewLayout(spec, size)
	var refused *ps.Error
	if errors.As(err, &refused) {
		return "refused " + refused.Msg, nil
	}
	if err != nil {
		return "", err
	}
	return describe(layout)
}

func run() error {
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	in.Buffer(nil, longestLine)
	for in.Scan() {
		text, err := answer(in.Text())
		if err != nil {
			return err
		}
		fmt.Fprintln(out, text)
	}
	if err := in.Err(); err != nil {
		return err
	}
	return out.Flush()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
