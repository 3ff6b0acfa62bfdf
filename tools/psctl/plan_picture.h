// Pictures of a world: hosts as boxes, ranks as cells, coloured by the groups of one name.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "plan.h"
#include "plan_layout.h"
#include "plan_summary.h"

namespace psctl {

// Refuses a world of more ranks than a picture can show.
void check_picture(const PlannedLayout& layout);
// options.group, or the first name that says most: several groups of several ranks.
std::string pictured_name(const PlannedLayout& layout, const PlanOptions& options);

// An SVG file.
std::string plan_svg(const PlannedLayout& layout, const PlanOptions& options);
// One HTML file that needs no network: any name may be chosen, and a rank shows all its groups.
std::string plan_html(const PlannedLayout& layout, const Summary& summary, const PlanOptions& options);

// Light, so that dark text is readable on each (a contrast of 6 or more), with neighbours that differ in lightness too.
// When the colours are used up they come again with a pattern.
inline constexpr std::array<const char*, 12> kGroupColors = {"#80c7f8", "#ffc16c", "#7ccd8e", "#f68f90",
                                                             "#c2a7f4", "#eaec82", "#8ee6ea", "#f8b3d3",
                                                             "#e09865", "#c8d6ff", "#b8e688", "#bf8f9d"};
inline constexpr size_t kPatterns = 4;  // none, diagonal stripes, dots, lines

}  // namespace psctl
