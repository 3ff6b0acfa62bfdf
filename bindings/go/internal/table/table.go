// Package table reads the table of tests that every binding runs; its head says what the columns mean.
package table

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Row is one line of the table.
type Row struct {
	Name  string
	Ranks int
	cells []string // operation, dtype, reduction, root, counts, input, output, result
}

// Part is a row as one rank of its group sees it.
type Part struct {
	Operation string
	DType     string
	Reduction string
	Root      int
	Counts    []int    // of this rank; nil where the operation takes none
	AllCounts [][]int  // of every rank, for what this rank receives in all_to_all_v
	Input     []string // blocks
	Output    []string
	HasInput  bool
	HasOutput bool
	Result    string
}

// Read parses the table at path.
func Read(path string) ([]Row, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var rows []Row
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		cells := strings.Fields(line)
		if len(cells) != 10 {
			return nil, fmt.Errorf("%s: %d cells instead of 10 in: %s", path, len(cells), line)
		}
		ranks, err := strconv.Atoi(cells[1])
		if err != nil {
			return nil, fmt.Errorf("%s: row %s: %w", path, cells[0], err)
		}
		rows = append(rows, Row{cells[0], ranks, cells[2:]})
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s has no rows", path)
	}
	return rows, nil
}

func (r Row) cell(column, rank int) string {
	parts := strings.Split(r.cells[column], "/")
	if len(parts) == 1 {
		return parts[0]
	}
	return parts[rank]
}

// Part returns the row for one rank.
func (r Row) Part(rank int) (Part, error) {
	for column := range r.cells {
		if parts := strings.Count(r.cells[column], "/") + 1; parts != 1 && parts != r.Ranks {
			return Part{}, fmt.Errorf("%d parts for %d ranks: %s", parts, r.Ranks, r.cells[column])
		}
	}
	part := Part{
		Operation: r.cell(0, rank), DType: r.cell(1, rank), Reduction: r.cell(2, rank),
		Input: strings.Split(r.cell(5, rank), ";"), HasInput: r.cell(5, rank) != "-",
		Output: strings.Split(r.cell(6, rank), ";"), HasOutput: r.cell(6, rank) != "-",
		Result: r.cell(7, rank),
	}
	if root := r.cell(3, rank); root != "-" {
		number, err := strconv.Atoi(root)
		if err != nil {
			return Part{}, err
		}
		part.Root = number
	}
	for member := 0; member < r.Ranks; member++ {
		var counts []int
		if cell := r.cell(4, member); cell != "-" {
			for _, text := range strings.Split(cell, ",") {
				count, err := strconv.Atoi(text)
				if err != nil {
					return Part{}, err
				}
				counts = append(counts, count)
			}
		}
		part.AllCounts = append(part.AllCounts, counts)
	}
	part.Counts = part.AllCounts[rank]
	return part, nil
}
