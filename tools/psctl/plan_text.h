// The texts of `psctl plan`: tables that respect the width of a terminal, and JSON.
#pragma once

#include <cstddef>
#include <string>

#include "plan.h"
#include "plan_layout.h"
#include "plan_summary.h"

namespace psctl {

// All names with their first groups, or every group of one name; then what they cost.
std::string plan_table(const PlannedLayout& layout, const Summary& summary, const std::string& group, size_t width);
std::string plan_json(const PlannedLayout& layout, const Summary& summary, const std::string& group);

// What one rank is: its coordinates, and its group of each name (or of one name).
std::string rank_table(const PlannedLayout& layout, const PlanOptions& options, size_t width);
std::string rank_json(const PlannedLayout& layout, const PlanOptions& options);

// What differs between two layouts of one world.
std::string diff_table(const PlannedLayout& one, const PlannedLayout& other, size_t width);

// Of the terminal; where the output is none, $COLUMNS or 100.
size_t output_width();

// "1 group", "2 groups".
std::string counted(size_t count, const std::string& noun);

}  // namespace psctl
